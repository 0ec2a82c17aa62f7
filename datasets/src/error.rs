//! The error of this package, with messages that say how to fix it.

use std::path::{Path, PathBuf};

use tallow_io::megabytes;
use tallow_io::text::visible_path;

/// The result type of this package.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a dataset. Every message names the file or value, what was expected, and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No dataset of that name is in the manifest.
    #[error("there is no dataset `{name}`; the manifest lists {}", .known.join(", "))]
    UnknownDataset {
        /// The name asked for.
        name: String,
        /// The names that the manifest lists.
        known: Vec<String>,
    },

    /// The dataset is known, but some of its files are not in the data folder.
    #[error(
        "dataset `{dataset}` is not complete in {} (`{file}` is missing): run `cargo xtask fetch-data --only \
         {dataset}` ({} from {url}), or point --data-dir or TALLOW_DATA_DIR at a folder that has it",
        visible_path(.folder), megabytes(*.bytes)
    )]
    Missing {
        /// The dataset's name.
        dataset: String,
        /// The folder that should hold it.
        folder: PathBuf,
        /// The first of its files that is not there.
        file: String,
        /// Size of the whole download, in bytes.
        bytes: u64,
        /// Where it comes from: the first source of the missing file.
        url: String,
    },

    /// A file is there, and is not what it should be: cut short, of another size, of another hash, of another format.
    #[error(
        "{} is damaged: expected {expected}, got {got}; delete it and run `cargo xtask fetch-data`",
        visible_path(.path)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },

    /// The operating system refused to read or write a file or a folder.
    #[error(transparent)]
    Io(#[from] tallow_io::Error),

    /// No source of a file could deliver it.
    #[error(
        "cannot fetch `{file}`: {}; check the connection and run the command again, a cut download resumes",
        .tried.join("; ")
    )]
    Network {
        /// The file.
        file: String,
        /// One line for each source that was tried: its URL and what it said.
        tried: Vec<String>,
    },

    /// Every source that answered delivered something other than what the manifest promises.
    #[error(
        "no source of `{file}` has the right bytes: expected {expected}, got {got} ({}); \
         the sources have changed: update datasets/manifest.toml if you trust the new file",
        .tried.join("; ")
    )]
    WrongDownload {
        /// The file.
        file: String,
        /// The size or sha256 that the manifest promises.
        expected: String,
        /// The last size or sha256 received.
        got: String,
        /// One line for each source that was tried.
        tried: Vec<String>,
    },

    /// A download is needed, and the network is off.
    #[error("`{file}` is not on this machine and --offline forbids fetching it ({} from {url}); run without --offline, \
             or copy the file to {}", megabytes(*.bytes), visible_path(.path))]
    Offline {
        /// The file's name.
        file: String,
        /// Its size in bytes.
        bytes: u64,
        /// Where it would have come from.
        url: String,
        /// Where it would have been put.
        path: PathBuf,
    },

    /// An archive holds an entry that must not be unpacked, or more than it may. Nothing of it was kept.
    #[error("{} is not safe to unpack: `{entry}` {why}; nothing of it was kept, report it to those who publish it",
            visible_path(.archive))]
    UnsafeArchive {
        /// The archive.
        archive: PathBuf,
        /// The offending entry's name.
        entry: String,
        /// What is wrong with it.
        why: String,
    },

    /// A file of weights is damaged, or is not what it should be, or asks for what is refused.
    #[error("{} {what}", visible_path(.path))]
    Weights {
        /// The file.
        path: PathBuf,
        /// What it is or does, and the remedy.
        what: String,
    },

    /// The list of datasets itself is wrong.
    #[error("{origin}: {what}")]
    Manifest {
        /// The manifest's file name.
        origin: String,
        /// The line or the dataset, and what is wrong there.
        what: String,
    },
}

/// What an [`Error`] means for the program that meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The user asked for something that does not exist.
    Usage,
    /// Data are missing, damaged or out of reach.
    Unavailable,
    /// Something else went wrong, on this machine.
    Failed,
}

impl Error {
    /// What the error means for the program that meets it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::UnknownDataset { .. } => ErrorKind::Usage,
            Error::Missing { .. }
            | Error::Damaged { .. }
            | Error::Network { .. }
            | Error::WrongDownload { .. }
            | Error::Offline { .. }
            | Error::UnsafeArchive { .. }
            | Error::Weights { .. } => ErrorKind::Unavailable,
            Error::Io(_) | Error::Manifest { .. } => ErrorKind::Failed,
        }
    }

    /// An [`Error::Io`], to be used with `map_err`: `File::open(path).map_err(Error::io("read", path))`.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        move |source| tallow_io::Error::io(action, path)(source).into()
    }

    pub(crate) fn damaged(path: &Path, expected: impl Into<String>, got: impl Into<String>) -> Error {
        Error::Damaged { path: path.to_path_buf(), expected: expected.into(), got: got.into() }
    }

    /// A failure while decompressing: the decoder reports bad contents as I/O errors of these kinds, everything else is
    /// the operating system's.
    pub(crate) fn reading(path: &Path, expected: &str, source: std::io::Error) -> Error {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match source.kind() {
            UnexpectedEof => Error::damaged(path, expected, "one that ends too early"),
            InvalidData | InvalidInput => Error::damaged(path, expected, source.to_string()),
            _ => Error::io("read", path)(source),
        }
    }
}
