//! sha256 of files, read piece by piece, so that a file of any size takes little memory.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// What a stream of bytes was: its length and its sha256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Length in bytes.
    pub bytes: u64,
    /// The sha256 as 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// Counts and hashes what is written to it.
#[derive(Default)]
pub(crate) struct Hasher {
    state: Sha256,
    bytes: u64,
}

impl Hasher {
    pub(crate) fn finish(self) -> Digest {
        let sha256 = self.state.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest { bytes: self.bytes, sha256 }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
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
/// [`Error::Io`] where it cannot be read.
pub fn file(path: impl AsRef<Path>) -> Result<Digest> {
    let path = path.as_ref();
    stream(File::open(path).map_err(Error::io("read", path))?).map_err(Error::io("read", path))
}

/// Hashes what is inside a gzipped file.
///
/// # Errors
/// [`Error::Io`] where it cannot be read, [`Error::Damaged`] where it is not a whole gzip file.
pub fn gzip_content(path: impl AsRef<Path>) -> Result<Digest> {
    let path = path.as_ref();
    let source = BufReader::new(File::open(path).map_err(Error::io("read", path))?);
    stream(MultiGzDecoder::new(source)).map_err(|source| Error::reading(path, "a whole gzip file", source))
}

fn stream(mut source: impl Read) -> std::io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(n) => hasher.write_all(&buffer[..n])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes_of_a_file_and_of_what_is_inside_a_gzip() {
        let folder = tempfile::tempdir().unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1
        let plain = folder.path().join("abc");
        std::fs::write(&plain, "abc").unwrap();
        assert_eq!(file(&plain).unwrap(), Digest { bytes: 3, sha256: abc.into() });

        let path = folder.path().join("abc.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"abc").unwrap();
        let bytes = encoder.finish().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(gzip_content(&path).unwrap().sha256, abc);
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let error = gzip_content(&path).unwrap_err();
        assert!(error.to_string().contains("expected a whole gzip file, got one that ends too early"), "{error}");
    }
}
