//! The error of this package: the operating system's, with the file.

use crate::text::visible_path;
use std::path::{Path, PathBuf};

/// The result type of this package.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The operating system refused to read or write a file or a folder.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", visible_path(.path))]
pub struct Error {
    /// The refused action: `read`, `write`, `create`.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The operating system's error.
    pub source: std::io::Error,
}

impl Error {
    /// Adds the action and the path to an I/O error, for `map_err`:
    /// `File::open(path).map_err(Error::io("read", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error { action, path: path.as_ref().to_path_buf(), source }
    }
}
