//! The text of a CSV file, and what stands between its cells.

use super::encoding::Encoding;
use crate::error::Result;
use std::path::Path;

/// A CSV file in memory.
pub(super) struct CsvText {
    /// All of it, without a byte order mark.
    pub(super) text: String,
    /// What a first line `sep=;` names, which spreadsheets write. Without one, what the first line has most of outside
    /// of quotes: commas, semicolons or tabs.
    pub(super) separator: u8,
}

impl CsvText {
    /// Reads a file in this encoding, with or without a byte order mark.
    ///
    /// # Errors
    /// When the file cannot be read, or is not in this encoding; the line is named.
    pub(super) fn read(file: &Path, encoding: Encoding) -> Result<CsvText> {
        let mut text = encoding.read(file)?;
        let named = text.lines().next().and_then(|line| line.strip_prefix("sep="));
        if let Some(&[separator]) = named.map(str::as_bytes)
            && !separator.is_ascii_alphanumeric()
            && separator != b'"'
        {
            // The line stays, empty, so that the others keep their numbers.
            text.replace_range(..5, "");
            return Ok(CsvText { text, separator });
        }
        let head = text.lines().next().unwrap_or_default();
        // Between quotes a line has every second part.
        let plain = || head.split('"').step_by(2).flat_map(str::bytes);
        let separator = [b'\t', b';', b','].into_iter().max_by_key(|&s| plain().filter(|&b| b == s).count());
        Ok(CsvText { separator: separator.unwrap_or(b','), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_may_name_the_separator() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.csv");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let CsvText { text, separator } = CsvText::read(&file, Encoding::Utf8).unwrap();
            (text, char::from(separator))
        };
        assert_eq!(read("sep=|\r\na|b,c\r\n1|2\r\n"), ("\r\na|b,c\r\n1|2\r\n".into(), '|'));
        assert_eq!(read("\u{feff}sep=;\na;b,c,d\n"), ("\na;b,c,d\n".into(), ';'));
        // Names of columns, not of separators.
        for text in ["sep=,b\n1,2\n", "sep,b\n1,2\n", "sep=\n1\n"] {
            assert_eq!(read(text), (text.into(), ','));
        }
    }
}
