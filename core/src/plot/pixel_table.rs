//! An image as the numbers it is made of.

use super::image_grid::title_room;
use super::scene::{Anchor, Area, MARGIN, Pixels, Scene, title_lines};
use super::style::{GRID, MUTED, TICK_SIZE, ink_on};
use crate::error::{Error, Result};

/// A table of pixel values with row and column numbers, each cell shaded with its own value from white (0) to black
/// (255): what pandas shows with `background_gradient("Greys")`.
///
/// ```
/// use tallow::plot::{Figure, PixelTable};
///
/// let figure: Figure = PixelTable::new("Top left", 3, &[0, 29, 150, 0, 48, 254]).into();
/// assert!(figure.svg()?.contains("254"));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PixelTable {
    title: String,
    width: usize,
    pixels: Vec<u8>,
}

const CELL_W: f64 = 32.0;
const CELL_H: f64 = 21.0;

impl PixelTable {
    /// The pixels of an image that is `width` wide, row by row.
    pub fn new(title: impl Into<String>, width: usize, pixels: &[u8]) -> PixelTable {
        PixelTable { title: title.into(), width, pixels: pixels.to_vec() }
    }

    fn rows(&self) -> usize {
        self.pixels.len().checked_div(self.width).unwrap_or(0)
    }

    pub(super) fn natural_size(&self) -> (f64, f64) {
        // One more row and column for the numbers.
        let (w, h) = (CELL_W * (self.width as f64 + 1.0), CELL_H * (self.rows() as f64 + 1.0));
        let width = (w + 2.0 * MARGIN).max(title_room(&self.title) + 2.0 * MARGIN);
        let (_, title_height) = title_lines(&self.title, width - 2.0 * MARGIN);
        (width, h + title_height + 2.0 * MARGIN)
    }

    pub(super) fn draw(&self, scene: &mut Scene, area: Area) -> Result<()> {
        let (rows, n) = (self.rows(), self.pixels.len());
        if n == 0 || rows.checked_mul(self.width) != Some(n) {
            return Err(Error::shape(
                format!("pixel table `{}`: {n} pixels do not make rows of {}", self.title, self.width),
                &[n],
            ));
        }
        let (title, title_height) = title_lines(&self.title, area.w - 2.0 * MARGIN);
        scene.title(&title, area.middle().0, area.y + MARGIN);
        let (w, h) = (CELL_W * self.width as f64, CELL_H * rows as f64);
        let left = (area.x + (area.w - w - CELL_W) / 2.0 + CELL_W).round();
        let top = (area.y + MARGIN + title_height + CELL_H).round();
        let inner = Area::new(left, top, w, h);
        let rgb = self.pixels.iter().flat_map(|&v| [255 - v; 3]).collect();
        scene.image(inner, Pixels { width: self.width as u32, height: rows as u32, rgb });
        scene.frame(inner.grown(1.0), 1.0, GRID);
        let middle = |row: f64, column: f64| (left + CELL_W * (column + 0.5), top + CELL_H * (row + 0.5));
        for column in 0..self.width {
            let at = middle(-1.0, column as f64);
            scene.text(&column.to_string(), at, TICK_SIZE, MUTED, Anchor::Middle);
        }
        for row in 0..rows {
            let (_, y) = middle(row as f64, 0.0);
            scene.text(&row.to_string(), (left - 9.0, y), TICK_SIZE, MUTED, Anchor::End);
        }
        for (i, &value) in self.pixels.iter().enumerate() {
            let at = middle((i / self.width) as f64, (i % self.width) as f64);
            scene.text(&value.to_string(), at, TICK_SIZE, ink_on([255 - value; 3]), Anchor::Middle);
        }
        Ok(())
    }
}
