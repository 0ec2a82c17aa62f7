//! Tables as CSV files, quoted as RFC 4180 says.

use crate::{Error, Result};
use csv::{ReaderBuilder, Trim, WriterBuilder};
use std::borrow::Cow;
use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

/// The rows as the text of a CSV file, one line each. A cell is quoted where a reader would otherwise misread it.
pub fn to_string<R>(rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        // Memory takes all that is written to it, and rows may differ in length.
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The rows of a CSV file, which may differ in length: cells without blanks around them, empty lines left out, a byte
/// order mark at the beginning passed over.
///
/// # Errors
/// When the file cannot be read, or is not UTF-8.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Vec<String>>> {
    Ok(read_with_lines(path)?.into_iter().map(|(_, row)| row).collect())
}

/// [`read`], with the line of the file at which each row begins, from 1.
///
/// # Errors
/// As [`read`].
pub fn read_with_lines(path: impl AsRef<Path>) -> Result<Vec<(u64, Vec<String>)>> {
    let path = path.as_ref();
    let bytes = crate::read::bytes(path, crate::read::DATA).map_err(Error::io("read", path))?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(bytes);
    // A row's position is before the empty lines that are passed over.
    let line = |position: &csv::Position| {
        let rest = bytes.get(position.byte() as usize..).unwrap_or_default();
        let empty = rest.iter().take_while(|byte| b"\r\n".contains(byte)).filter(|&&byte| byte == b'\n').count();
        position.line() + empty as u64
    };
    let rows: std::result::Result<Vec<(u64, Vec<String>)>, csv::Error> = reader
        .records()
        .map(|row| {
            let row = row?;
            Ok((row.position().map_or(0, line), row.iter().map(String::from).collect()))
        })
        .collect();
    rows.map_err(|e| Error::io("read", path)(IoError::new(ErrorKind::InvalidData, e.to_string())))
}

/// A text from outside, such as a class's name, as a cell that no spreadsheet takes for a formula: one that begins as
/// formulas do gets an apostrophe before it, as OWASP's *CSV Injection* says. So does one that begins with apostrophes
/// and goes on as formulas do: [`unmarked`] gives every text back.
pub fn text(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text of a cell that [`text()`] made.
pub fn unmarked(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_formula(cell.trim_start_matches('\''))).unwrap_or(cell)
}

/// A path as a cell that no spreadsheet takes for a formula, and that still is the path: `./=photo.jpg`.
pub fn path(path: &Path) -> String {
    let text = path.display().to_string();
    if is_formula(&text) { format!("./{text}") } else { text }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_would_calculate_is_text() {
        assert_eq!(text("=1+2"), "'=1+2");
        assert_eq!(text("@SUM(1)"), "'@SUM(1)");
        assert_eq!((text("cat"), text("a=b"), text("")), ("cat".into(), "a=b".into(), "".into()));
        assert_eq!(text("'=1"), "''=1");
        for original in ["=1", "'=1", "''@x", "'quoted'", "", "'", "-", "a"] {
            assert_eq!(unmarked(&text(original)), original);
        }
        assert_eq!(path(Path::new("-cat.jpg")), "./-cat.jpg");
        assert_eq!(path(Path::new("pets/=cat.jpg")), "pets/=cat.jpg");
    }

    #[test]
    fn rows_are_read_as_they_were_meant() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("table.csv");
        std::fs::write(&file, "\u{feff}class, weight\r\n\r\n\"a, b\" , 2\nlone\n").unwrap();
        assert_eq!(read(&file).unwrap(), [vec!["class", "weight"], vec!["a, b", "2"], vec!["lone"]]);
        let lines: Vec<u64> = read_with_lines(&file).unwrap().into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 3, 4]);
        std::fs::write(&file, [b'a', 0xff]).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("table.csv"));
    }

    #[test]
    fn cells_are_quoted_where_rfc_4180_wants_it() {
        let rows = [vec!["plain", "a,b", "say \"x\""], vec!["two\nlines", "", "a b"]];
        assert_eq!(to_string(rows), "plain,\"a,b\",\"say \"\"x\"\"\"\n\"two\nlines\",,a b\n");
    }
}
