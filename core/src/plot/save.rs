//! A figure of one panel, saved in one call.

use std::path::Path;

use super::{Bars, Diagram, Figure, HeatMap, ImageGrid, PixelTable, Plot};
use crate::error::Result;

impl Plot {
    /// Draws the plot alone and writes it to a file, PNG or SVG by its ending ([`Figure::save`]).
    ///
    /// # Errors
    /// When the data do not fit together, or the file cannot be written.
    pub fn save(self, path: impl AsRef<Path>) -> Result<()> {
        Figure::from(self).save(path)
    }
}

impl Bars {
    /// Draws the bars alone and writes them to a file, PNG or SVG by its ending ([`Figure::save`]).
    ///
    /// # Errors
    /// When there is not one label for each value, or the file cannot be written.
    pub fn save(self, path: impl AsRef<Path>) -> Result<()> {
        Figure::from(self).save(path)
    }
}

impl HeatMap {
    /// Draws the matrix alone and writes it to a file, PNG or SVG by its ending ([`Figure::save`]).
    ///
    /// # Errors
    /// When the values do not fill the rows, or the file cannot be written.
    pub fn save(self, path: impl AsRef<Path>) -> Result<()> {
        Figure::from(self).save(path)
    }
}

impl ImageGrid {
    /// Draws the images alone and writes them to a file, PNG or SVG by its ending ([`Figure::save`]).
    ///
    /// # Errors
    /// When an image has another number of pixels than its size says, or the file cannot be written.
    pub fn save(self, path: impl AsRef<Path>) -> Result<()> {
        Figure::from(self).save(path)
    }
}

impl PixelTable {
    /// Draws the table alone and writes it to a file, PNG or SVG by its ending ([`Figure::save`]).
    ///
    /// # Errors
    /// When the pixels do not fill the rows, or the file cannot be written.
    pub fn save(self, path: impl AsRef<Path>) -> Result<()> {
        Figure::from(self).save(path)
    }
}

impl Diagram {
    /// Draws the network alone and writes it to a file, PNG or SVG by its ending ([`Figure::save`]).
    ///
    /// # Errors
    /// When a label has no line, or the file cannot be written.
    pub fn save(self, path: impl AsRef<Path>) -> Result<()> {
        Figure::from(self).save(path)
    }
}
