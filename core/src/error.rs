//! The one error type of the library, and the exit code that each kind of error deserves.

use std::path::{Path, PathBuf};

/// What can go wrong, said so that a user can mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line or a configuration asks for something that is not there.
    #[error("{0}")]
    Usage(String),

    /// A dataset is missing, damaged or could not be read.
    #[error(transparent)]
    Data(#[from] tallow_datasets::Error),

    /// A file that holds something other than what it should hold: a checkpoint, exported weights, an image.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was expected, what was found, and what to do.
        what: String,
    },

    /// A file with weights is not on this machine and cannot be fetched from the Hugging Face Hub.
    #[error("cannot get {file}: {what}; {remedy}")]
    Hub {
        /// The file, its size, and where it is published.
        file: String,
        /// What went wrong.
        what: String,
        /// What to do, such as which file to put where.
        remedy: String,
    },

    /// The operating system refused to read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own word.
        source: std::io::Error,
    },

    /// A tensor operation failed: shapes, types or devices do not fit.
    #[error("{0}")]
    Tensor(#[from] candle_core::Error),

    /// Shapes or values that a function of ours cannot work with.
    #[error("{0}")]
    Value(String),

    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} at epoch {epoch}, batch {batch}: training has diverged; \
         try a learning rate ten times smaller, or look for bad values in the data"
    )]
    Diverged {
        /// The offending value.
        loss: f64,
        /// Epoch, from 0.
        epoch: usize,
        /// Batch within the epoch, from 0.
        batch: usize,
    },

    /// The user pressed Ctrl-C (or asked to stop in another way); what was worth keeping is kept.
    #[error("interrupted{0}")]
    Interrupted(String),

    /// A run ended well but did not reach the target that it was required to reach.
    #[error("{0}")]
    TargetMissed(String),
}

/// What our functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Io`] for a path, to be used with `map_err`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// An [`Error::File`]: the file at `path` is not what it should be.
    pub fn file(path: impl AsRef<Path>, what: impl Into<String>) -> Error {
        Error::File { path: path.as_ref().to_path_buf(), what: what.into() }
    }

    /// The exit code of a program that ends with this error: 1 failed, 2 wrong usage, 3 data missing or damaged,
    /// 4 target missed, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) => 2,
            Error::Data(data) => data.exit_code(),
            Error::File { .. } | Error::Hub { .. } => 3,
            Error::TargetMissed(_) => 4,
            Error::Interrupted(_) => 130,
            Error::Io { .. } | Error::Tensor(_) | Error::Value(_) | Error::Diverged { .. } => 1,
        }
    }
}
