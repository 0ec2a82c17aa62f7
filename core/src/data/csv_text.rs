//! The text of a CSV file, and what stands between its cells.

use crate::error::{Error, Result};
use std::path::Path;

/// A CSV file in memory.
pub(super) struct CsvText {
    /// All of it, without a byte order mark.
    pub(super) text: String,
    /// What its first line has most of: commas, semicolons or tabs.
    pub(super) separator: u8,
}

impl CsvText {
    /// Reads a file in UTF-8, with or without a byte order mark.
    ///
    /// # Errors
    /// When the file cannot be read, or is not UTF-8; the line is named.
    pub(super) fn read(file: &Path) -> Result<CsvText> {
        let bytes = std::fs::read(file).map_err(Error::io(file))?;
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            let line = bytes[..e.valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
            Error::file(file, format!("is not UTF-8 (line {line}); save the table as UTF-8"))
        })?;
        let text = text.trim_start_matches('\u{feff}');
        let head = text.lines().next().unwrap_or_default();
        let separator = [b'\t', b';', b','].into_iter().max_by_key(|&s| head.bytes().filter(|&b| b == s).count());
        Ok(CsvText { text: text.to_string(), separator: separator.unwrap_or(b',') })
    }
}
