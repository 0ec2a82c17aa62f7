//! The text of a CSV file, and what stands between its cells.

use super::encoding::Encoding;
use crate::error::Result;
use std::path::Path;

/// A CSV file in memory.
pub(super) struct CsvText {
    /// All of it, without a byte order mark.
    pub(super) text: String,
    /// What its first line has most of outside of quotes: commas, semicolons or tabs.
    pub(super) separator: u8,
}

impl CsvText {
    /// Reads a file in this encoding, with or without a byte order mark.
    ///
    /// # Errors
    /// When the file cannot be read, or is not in this encoding; the line is named.
    pub(super) fn read(file: &Path, encoding: Encoding) -> Result<CsvText> {
        let text = encoding.read(file)?;
        let head = text.lines().next().unwrap_or_default();
        // Between quotes a line has every second part.
        let plain = || head.split('"').step_by(2).flat_map(str::bytes);
        let separator = [b'\t', b';', b','].into_iter().max_by_key(|&s| plain().filter(|&b| b == s).count());
        Ok(CsvText { separator: separator.unwrap_or(b','), text })
    }
}
