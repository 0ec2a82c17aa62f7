//! Why a file could not be fetched.

use super::{HubConfig, HubFile};
use crate::error::Error;
use std::path::Path;

/// Why a file could not be fetched.
pub(super) enum Failure {
    /// The fault is on this machine, or the user stopped it.
    #[cfg(feature = "hub")]
    Ours(Error),
    /// The Hub, or what is between it and us.
    Theirs {
        /// What went wrong.
        what: String,
        /// A remedy before the last one, getting the file by hand.
        remedy: Option<String>,
    },
}

impl Failure {
    /// The error for a file that may be put at `by_hand`.
    pub(super) fn into_error(self, file: &HubFile, config: &HubConfig, by_hand: &Path) -> Error {
        match self {
            #[cfg(feature = "hub")]
            Failure::Ours(error) => error,
            Failure::Theirs { what, remedy } => {
                let or = remedy.map(|remedy| format!("{remedy}, or ")).unwrap_or_default();
                let (url, place) = (file.url(config), by_hand.display());
                Error::Hub {
                    file: file.words(),
                    what,
                    remedy: format!("{or}download {url} elsewhere and put it at {place}"),
                }
            }
        }
    }
}

#[cfg(feature = "hub")]
impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Ours(error.into())
    }
}
