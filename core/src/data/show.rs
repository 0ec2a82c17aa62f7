//! Items as people see them.

use crate::error::Result;
use crate::vision::{Image, Mask};

/// An image to show, with the words under it.
#[derive(Debug, Clone)]
pub struct Captioned {
    /// The image.
    pub image: Image,
    /// The words: for a training item its class, for a result what was predicted and what is true.
    pub caption: String,
}

/// A picture to show, with the class of each of its pixels.
#[derive(Debug, Clone)]
pub struct Masked {
    /// The picture.
    pub image: Image,
    /// The classes, by number.
    pub mask: Mask,
}

/// Items in the form in which people look at them, by the kind of data. [`crate::interpret::show_batch`] draws it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Shown {
    /// Images side by side.
    Images(Vec<Captioned>),
    /// Pictures with what their pixels show.
    Masks {
        /// The pictures with their masks.
        items: Vec<Masked>,
        /// The names of the classes, by number.
        codes: Vec<String>,
        /// The class of pixels that neither train nor count, if there is one.
        void: Option<u32>,
    },
}

/// Loaders whose items can be shown. fast.ai's `show_batch` of a `TfmdDL`.
pub trait Show {
    /// The first `n` items of the first epoch as the network sees them, with normalisation undone.
    ///
    /// # Errors
    /// When an item cannot be read.
    fn shown(&self, n: usize) -> Result<Shown>;
}
