//! The error type of the library. A message names the file or the value, says what was expected, and how to fix it.
//!
//! ```
//! use tallow::Error;
//! use tallow::nn::{Dropout, Params};
//! # fn main() -> tallow::Result<()> {
//! let params = Params::new(&tallow::rng::Rng::new(42), &tallow::candle::Device::Cpu);
//! let Err(error) = Dropout::new(1.5, &params) else { panic!("1.5 is not a probability") };
//! assert!(matches!(error, Error::Config { setting: "dropout", .. }));
//! assert_eq!(error.to_string(), "the probability of a dropout must be in 0..=1, got 1.5");
//! # Ok(())
//! # }
//! ```

use std::path::{Path, PathBuf};
use tallow_io::text::visible_path;

/// An error, with a message that says how to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line or a configuration requests something that does not exist.
    #[error("{0}")]
    Usage(String),

    /// A dataset is missing, damaged or could not be read.
    #[error(transparent)]
    Data(#[from] tallow_datasets::Error),

    /// A file has unexpected contents: a checkpoint, exported weights, an image.
    #[error("{}: {what}", visible_path(path))]
    File {
        /// The file.
        path: PathBuf,
        /// The expected contents, the actual ones, and how to fix the file.
        what: String,
    },

    /// A weights file is not in the cache and cannot be fetched from the Hugging Face Hub.
    #[error("cannot get {file}: {what}; {remedy}")]
    Hub {
        /// The file, its size, and the repository that publishes it.
        file: String,
        /// The cause.
        what: String,
        /// The fix, such as where to put which file.
        remedy: String,
    },

    /// The operating system refused to read or write a file.
    #[error("{}: {source}", visible_path(path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },

    /// A tensor operation failed: shapes, types or devices do not fit.
    #[error("{0}")]
    Tensor(#[from] candle_core::Error),

    /// A tensor, matrix or image has a shape that the operation does not take.
    #[error("{message}")]
    Shape {
        /// The operation or layer, the shape it takes, and the shape it got.
        message: String,
        /// The shape that it got.
        got: Vec<usize>,
    },

    /// A setting is outside of its range, or two settings contradict each other.
    #[error("{message}")]
    Config {
        /// The setting's name, such as `dropout` or `batch_size`.
        setting: &'static str,
        /// The values that the setting may have, and the one it has.
        message: String,
    },

    /// A label is not one of the classes.
    #[error("{message}")]
    Label {
        /// The label, a name or a number.
        label: String,
        /// The number of classes.
        n_classes: usize,
        /// The place of the label, and the classes.
        message: String,
    },

    /// A network lacks a requested part, or tensors do not belong to it.
    #[error("{message}")]
    Network {
        /// The network, or the parameter or part of it: `resnet18`, `layer5`.
        name: String,
        /// The expected parts or tensors, and the actual ones.
        message: String,
    },

    /// Any other invalid value.
    #[error("{0}")]
    Value(String),

    /// The loss of a batch is no longer a finite number.
    #[error(
        "the loss became {loss} at epoch {epoch}, batch {batch}: training has diverged; \
         try a learning rate ten times smaller, or look for bad values in the data"
    )]
    Diverged {
        /// The value of the loss.
        loss: f64,
        /// Epoch, from 0.
        epoch: usize,
        /// Batch within the epoch, from 0.
        batch: usize,
    },

    /// After an epoch the validation loss, a metric or a weight is no longer a finite number.
    #[error(
        "{what} became {value} at epoch {epoch}: training has diverged; \
         try a learning rate ten times smaller, or look for bad values in the data"
    )]
    NotFinite {
        /// The quantity, such as `the validation loss`.
        what: String,
        /// Its value.
        value: f64,
        /// Epoch, from 0.
        epoch: usize,
    },

    /// The user pressed Ctrl-C, or requested a stop in another way; checkpoints have been written.
    #[error("interrupted{0}")]
    Interrupted(String),
}

/// The result of the library's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<tallow_io::Error> for Error {
    fn from(error: tallow_io::Error) -> Error {
        Error::Io { path: error.path, source: error.source }
    }
}

impl Error {
    /// An [`Error::Io`] for a path, for use with `map_err`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// An [`Error::File`]: the file at `path` has unexpected contents.
    pub fn file(path: impl AsRef<Path>, what: impl Into<String>) -> Error {
        Error::File { path: path.as_ref().to_path_buf(), what: what.into() }
    }

    /// An [`Error::Shape`]: `message` says what was expected, `got` is the actual shape.
    pub fn shape(message: impl Into<String>, got: &[usize]) -> Error {
        Error::Shape { message: message.into(), got: got.to_vec() }
    }

    /// An [`Error::Config`] for the setting of this name.
    pub fn config(setting: &'static str, message: impl Into<String>) -> Error {
        Error::Config { setting, message: message.into() }
    }

    /// An [`Error::Label`] for a label that is not one of `n_classes` classes.
    pub fn label(label: impl ToString, n_classes: usize, message: impl Into<String>) -> Error {
        Error::Label { label: label.to_string(), n_classes, message: message.into() }
    }

    /// An [`Error::Network`] for the network, or the part of one, with this name.
    pub fn network(name: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Network { name: name.into(), message: message.into() }
    }
}
