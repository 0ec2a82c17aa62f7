//! How the bytes of a text file stand for characters.

use crate::error::{Error, Result};
use std::path::Path;

/// How the bytes of a text file stand for characters. Nothing is guessed, and nothing that cannot be read is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark; it holds all characters, and almost all files are in it.
    #[default]
    Utf8,
    /// ISO 8859-1: each byte is one of the first 256 characters. Older texts of Western Europe and North America are.
    Latin1,
}

impl Encoding {
    /// Reads a whole file.
    ///
    /// # Errors
    /// When the file cannot be read, or is not in this encoding; line and byte are named, and what it may be in.
    pub fn read(self, file: &Path) -> Result<String> {
        let bytes = tallow_io::read::bytes(file, tallow_io::read::DATA).map_err(Error::io(file))?;
        match self {
            Encoding::Latin1 => Ok(bytes.into_iter().map(char::from).collect()),
            Encoding::Utf8 => match String::from_utf8(bytes) {
                Ok(text) if is_wide(&text) => {
                    Err(Error::file(file, "is in UTF-16 or UTF-32: every other character is NUL; save it as UTF-8"))
                }
                Ok(text) => Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text)),
                Err(e) => Err(Error::file(file, not_utf8(e.as_bytes(), e.utf8_error().valid_up_to()))),
            },
        }
    }
}

/// Whether a text is one of several bytes a character without a mark that says so: English then is one of NULs.
fn is_wide(text: &str) -> bool {
    let nul = text.bytes().filter(|&byte| byte == 0).count();
    nul > 0 && 3 * nul >= text.len()
}

/// How files begin that are taken for text now and then, and what they are.
const OTHER_KINDS: [(&[u8], &str); 7] = [
    (&[0xff, 0xfe, 0, 0], "in UTF-32; save it as UTF-8"),
    (&[0, 0, 0xfe, 0xff], "in UTF-32; save it as UTF-8"),
    (&[0xff, 0xfe], "in UTF-16; save it as UTF-8"),
    (&[0xfe, 0xff], "in UTF-16; save it as UTF-8"),
    (b"PK\x03\x04", "no text but an archive, as a spreadsheet's workbook is; save it as CSV in UTF-8"),
    (&[0x1f, 0x8b], "compressed by gzip; unpack it first"),
    (b"PAR1", "no text but in Parquet's format; convert it to CSV"),
];

fn not_utf8(bytes: &[u8], at: usize) -> String {
    if let Some((_, kind)) = OTHER_KINDS.iter().find(|(begin, _)| bytes.starts_with(begin)) {
        return format!("is {kind}");
    }
    let line = bytes[..at].iter().filter(|&&b| b == b'\n').count() + 1;
    let byte = bytes.get(at).copied().unwrap_or_default();
    let latin = match byte {
        0xa0.. => format!(" is `{}` in Latin-1; if that is right,", char::from(byte)),
        _ => " means nothing there;".into(),
    };
    format!("is not UTF-8 (line {line}): byte 0x{byte:02x}{latin} save it as UTF-8")
}
