//! What is inside of gzipped files.
#![warn(clippy::indexing_slicing)]

use std::io::BufReader;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tallow_io::hash::{self, Digest};

use crate::error::{Error, Result};

/// Hashes the contents of a gzipped file.
///
/// # Errors
/// [`Error::Io`] where it cannot be read, [`Error::Damaged`] where it is not a whole gzip file.
pub(crate) fn digest(path: impl AsRef<Path>) -> Result<Digest> {
    let path = path.as_ref();
    let source = BufReader::new(tallow_io::read::open(path).map_err(Error::io("read", path))?);
    hash::stream(MultiGzDecoder::new(source)).map_err(|source| Error::reading(path, "a whole gzip file", source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_known_hash_of_what_is_inside_and_a_cut_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"abc").unwrap();
        let bytes = encoder.finish().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        // FIPS 180-2, appendix B.1
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(&path).unwrap().sha256, abc);
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let error = digest(&path).unwrap_err();
        assert!(error.to_string().contains("expected a whole gzip file, got one that ends too early"), "{error}");
    }
}
