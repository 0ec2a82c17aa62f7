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
    /// Rows of a table.
    Table(ShownTable),
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

/// Rows of a table as people read them. It is displayed as text in columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownTable {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// A cell for each column in each row.
    pub rows: Vec<Vec<String>>,
}

impl std::fmt::Display for ShownTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines = || std::iter::once(&self.columns).chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for line in lines() {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Loaders whose items can be shown. fast.ai's `show_batch` of a `TfmdDL`.
pub trait Show {
    /// The first `n` items of the first epoch as the network sees them, with normalisation undone.
    ///
    /// # Errors
    /// When an item cannot be read.
    fn shown(&self, n: usize) -> Result<Shown>;
}
