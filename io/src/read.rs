//! Reading files that come from anywhere: only regular ones, and only up to a size.
//!
//! A pipe would keep a program waiting for ever, a device would fill its memory, and a file of a few bytes on the disk
//! may claim to have a terabyte.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The largest picture, in bytes: 512 MiB.
pub const PICTURE: u64 = 1 << 29;

/// The largest file of notes (JSON, TOML, lists of names), in bytes: 256 MiB.
pub const NOTES: u64 = 1 << 28;

/// The largest file of data (weights, tables, texts), in bytes: 64 GiB.
pub const DATA: u64 = 1 << 36;

/// Opens a regular file, or a link to one.
///
/// # Errors
/// The system's; and `InvalidData` where `path` is something else.
pub fn open(path: impl AsRef<Path>) -> Result<File> {
    let path = path.as_ref();
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
        return Err(Error::new(ErrorKind::InvalidData, format!("it is no regular file, but {what}")));
    }
    crate::fault::point()?;
    File::open(path)
}

/// The contents of a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`]; and `InvalidData` where the file is larger.
pub fn bytes(path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    let too_large =
        |length: u64| Error::new(ErrorKind::InvalidData, format!("it has {length} bytes, and {limit} are allowed"));
    if length > limit {
        return Err(too_large(length));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // It may grow while it is read, and a file of the system's own says that it has 0 bytes.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// The text of a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`bytes`]; and `InvalidData` where it is not UTF-8.
pub fn text(path: impl AsRef<Path>, limit: u64) -> Result<String> {
    String::from_utf8(bytes(path, limit)?).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_size_are_read() {
        let folder = std::env::temp_dir().join(format!("tallow-read-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a");
        fs::write(&file, "abc").unwrap();
        assert_eq!((bytes(&file, 3).unwrap(), text(&file, 3).unwrap()), (b"abc".to_vec(), "abc".to_string()));
        assert!(bytes(&file, 2).unwrap_err().to_string().contains("3 bytes, and 2 are allowed"));
        assert!(bytes(&folder, 9).unwrap_err().to_string().contains("a folder"));
        assert_eq!(bytes(folder.join("b"), 9).unwrap_err().kind(), ErrorKind::NotFound);
        fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(text(&file, 9).unwrap_err().kind(), ErrorKind::InvalidData);
        #[cfg(unix)]
        {
            let link = folder.join("zero");
            let _ = std::os::unix::fs::symlink("/dev/zero", &link);
            assert!(bytes(&link, 9).unwrap_err().to_string().contains("a device"));
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
