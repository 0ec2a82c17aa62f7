//! sha256 of files, read piece by piece, so that a file of any size takes little memory.

use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// The length and the sha256 of a stream of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Length in bytes.
    pub bytes: u64,
    /// The sha256 as 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// Counts and hashes what is written to it.
#[derive(Default)]
pub struct Hasher {
    state: Sha256,
    bytes: u64,
}

impl Hasher {
    /// Takes in some bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The digest of all that was written.
    pub fn finish(self) -> Digest {
        let sha256 = self.state.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest { bytes: self.bytes, sha256 }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hashes bytes in memory.
pub fn bytes(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.state.update(bytes);
    hasher.bytes = bytes.len() as u64;
    hasher.finish()
}

/// Hashes a file.
///
/// # Errors
/// When it cannot be read.
pub fn file(path: impl AsRef<Path>) -> Result<Digest> {
    let path = path.as_ref();
    stream(crate::read::open(path).map_err(Error::io("read", path))?).map_err(Error::io("read", path))
}

/// Hashes a stream to its end.
///
/// # Errors
/// The stream's own.
pub fn stream(mut source: impl Read) -> std::io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(n) => hasher.update(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A file's length and sha256 as published, so far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected<'a> {
    /// Length in bytes.
    pub bytes: Option<u64>,
    /// The sha256 as 64 lower-case hexadecimal digits.
    pub sha256: Option<&'a str>,
}

/// A difference between a file and its [`Expected`] length and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// `1000 bytes` or `sha256 ba78...`.
    pub expected: String,
    /// The same of the file.
    pub got: String,
}

impl Expected<'_> {
    /// The difference from a digest, if there is one: in length, or else in sha256.
    pub fn differs_from(&self, found: &Digest) -> Option<Mismatch> {
        self.differs_in_length(found.bytes).or_else(|| {
            let expected = self.sha256.filter(|&expected| expected != found.sha256)?;
            Some(Mismatch { expected: format!("sha256 {expected}"), got: format!("sha256 {}", found.sha256) })
        })
    }

    /// The difference from a file, if there is one. The file is read only where its length is right and a sha256 is
    /// known.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn differs_from_file(&self, path: impl AsRef<Path>) -> Result<Option<Mismatch>> {
        let path = path.as_ref();
        let bytes = std::fs::metadata(path).map_err(Error::io("read", path))?.len();
        match self.differs_in_length(bytes) {
            None if self.sha256.is_some() => Ok(self.differs_from(&file(path)?)),
            mismatch => Ok(mismatch),
        }
    }

    fn differs_in_length(&self, bytes: u64) -> Option<Mismatch> {
        let expected = self.bytes.filter(|&expected| expected != bytes)?;
        Some(Mismatch { expected: format!("{expected} bytes"), got: format!("{bytes} bytes") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1

    #[test]
    fn the_known_hash_of_abc() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let expected = Digest { bytes: 3, sha256: ABC.into() };
        assert_eq!((file(&path).unwrap(), bytes(b"abc")), (expected.clone(), expected));
    }

    #[test]
    fn a_file_differs_in_length_or_else_in_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let differs = |bytes, sha256| Expected { bytes, sha256 }.differs_from_file(&path).unwrap();
        assert_eq!(differs(None, None), None);
        assert_eq!(differs(Some(3), Some(ABC)), None);
        assert_eq!(differs(Some(4), Some("00")), Some(Mismatch { expected: "4 bytes".into(), got: "3 bytes".into() }));
        assert_eq!(
            differs(Some(3), Some("00")),
            Some(Mismatch { expected: "sha256 00".into(), got: format!("sha256 {ABC}") })
        );
    }
}
