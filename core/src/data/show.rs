//! Items as people see them.

use crate::error::Result;
use crate::vision::Image;

/// An image to show, with the words under it.
#[derive(Debug, Clone)]
pub struct Captioned {
    /// The image.
    pub image: Image,
    /// The words: for a training item its class, for a result what was predicted and what is true.
    pub caption: String,
}

/// Items in the form in which people look at them, by the kind of data. [`crate::interpret::show_batch`] draws it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Shown {
    /// Images side by side.
    Images(Vec<Captioned>),
}

/// Loaders whose items can be shown. fast.ai's `show_batch` of a `TfmdDL`.
pub trait Show {
    /// The first `n` items of the first epoch as the network sees them, with normalisation undone.
    ///
    /// # Errors
    /// When an item cannot be read.
    fn shown(&self, n: usize) -> Result<Shown>;
}
