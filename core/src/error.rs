//! The one error type of the library.

use std::path::{Path, PathBuf};

/// Errors, each with a message that says how to fix it.
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
        /// The operating system's error.
        source: std::io::Error,
    },

    /// A tensor operation failed: shapes, types or devices do not fit.
    #[error("{0}")]
    Tensor(#[from] candle_core::Error),

    /// A tensor, matrix or image has another shape than the operation takes.
    #[error("{message}")]
    Shape {
        /// Which operation or layer, what it takes, and what it got.
        message: String,
        /// The shape that it got.
        got: Vec<usize>,
    },

    /// A setting is outside of its range, or two settings contradict each other.
    #[error("{message}")]
    Config {
        /// The setting's name, such as `dropout` or `batch_size`.
        setting: &'static str,
        /// What the setting may be, and what it is.
        message: String,
    },

    /// A label is not one of the classes.
    #[error("{message}")]
    Label {
        /// The label, a name or a number.
        label: String,
        /// The number of classes.
        n_classes: usize,
        /// Where the label stands, and which classes there are.
        message: String,
    },

    /// A neural network does not have what is asked of it, or tensors are not its own.
    #[error("{message}")]
    Network {
        /// The network, or the parameter or part of it: `resnet18`, `layer5`.
        name: String,
        /// What was expected, and what was found.
        message: String,
    },

    /// Another value that a function cannot work with.
    #[error("{0}")]
    Value(String),

    /// The loss of a batch is no longer a finite number.
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

    /// After an epoch something is no longer a finite number: the validation loss, a metric or a weight.
    #[error(
        "{what} became {value} at epoch {epoch}: training has diverged; \
         try a learning rate ten times smaller, or look for bad values in the data"
    )]
    NotFinite {
        /// What it is, such as `the validation loss`.
        what: String,
        /// Its value.
        value: f64,
        /// Epoch, from 0.
        epoch: usize,
    },

    /// The user pressed Ctrl-C (or asked to stop in another way); what was worth keeping is kept.
    #[error("interrupted{0}")]
    Interrupted(String),
}

/// What our functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<tallow_io::Error> for Error {
    fn from(error: tallow_io::Error) -> Error {
        Error::Io { path: error.path, source: error.source }
    }
}

impl Error {
    /// An [`Error::Io`] for a path, to be used with `map_err`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// An [`Error::File`]: the file at `path` is not what it should be.
    pub fn file(path: impl AsRef<Path>, what: impl Into<String>) -> Error {
        Error::File { path: path.as_ref().to_path_buf(), what: what.into() }
    }

    /// An [`Error::Shape`]: `message` says what was expected, `got` is the shape that came.
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

    /// An [`Error::Network`] for a network, or a part of one, of this name.
    pub fn network(name: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Network { name: name.into(), message: message.into() }
    }
}
