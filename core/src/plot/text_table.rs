//! A table of words and numbers.

use super::image_grid::title_room;
use super::scene::{Anchor, Area, MARGIN, Scene, title_lines};
use super::style::{FAINT_GRID, GRID, INK, MUTED, TICK_SIZE};
use super::text;
use crate::error::{Error, Result};

/// Rows of texts under heads. A table with more columns than rows is laid on its side, heads at the left, so that it
/// stays legible on a page.
///
/// ```
/// use tallow::plot::{Figure, TextTable};
///
/// let figure: Figure = TextTable::new("Batch", &["age", "job"], &[vec!["39".into(), "clerk".into()]]).into();
/// assert!(figure.svg()?.contains("clerk"));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TextTable {
    title: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

const ROW: f64 = 20.0;
const PADDING: f64 = 8.0;
/// Longer cells are cut.
const LONGEST: f64 = 150.0;

impl TextTable {
    /// A cell for each head in each row.
    pub fn new<S: AsRef<str>>(title: impl Into<String>, heads: &[S], rows: &[Vec<String>]) -> TextTable {
        let heads = heads.iter().map(|head| head.as_ref().to_string()).collect();
        TextTable { title: title.into(), heads, rows: rows.to_vec() }
    }

    fn lies(&self) -> bool {
        self.heads.len() > self.rows.len()
    }

    /// The columns as they are drawn, each with its cells from top to bottom.
    fn columns(&self) -> Vec<Vec<String>> {
        let shown = |cell: &String| text::fit(&text::clean(cell), TICK_SIZE, LONGEST);
        let lines: Vec<Vec<String>> =
            [&self.heads].into_iter().chain(&self.rows).map(|line| line.iter().map(shown).collect()).collect();
        match self.lies() {
            true => lines,
            false => (0..self.heads.len())
                .map(|i| lines.iter().map(|line| line.get(i).cloned().unwrap_or_default()).collect())
                .collect(),
        }
    }

    fn widths(columns: &[Vec<String>]) -> Vec<f64> {
        let width = |column: &Vec<String>| column.iter().map(|cell| text::width(cell, TICK_SIZE)).fold(0.0, f64::max);
        columns.iter().map(|column| width(column).ceil() + 2.0 * PADDING).collect()
    }

    pub(super) fn natural_size(&self) -> (f64, f64) {
        let columns = self.columns();
        let n_lines = columns.first().map_or(0, Vec::len) as f64;
        let width: f64 = TextTable::widths(&columns).iter().sum();
        let width = (width + 2.0 * MARGIN).max(title_room(&self.title) + 2.0 * MARGIN);
        let (_, title_height) = title_lines(&self.title, width - 2.0 * MARGIN);
        (width, ROW * n_lines + title_height + 2.0 * MARGIN)
    }

    pub(super) fn draw(&self, scene: &mut Scene, area: Area) -> Result<()> {
        let expected = self.heads.len();
        if let Some(row) = self.rows.iter().find(|row| row.len() != expected) {
            let message = format!("table `{}`: {} cells for {expected} heads", self.title, row.len());
            return Err(Error::shape(message, &[row.len()]));
        }
        let (title, title_height) = title_lines(&self.title, area.w - 2.0 * MARGIN);
        scene.title(&title, area.middle().0, area.y + MARGIN);
        let columns = self.columns();
        let widths = TextTable::widths(&columns);
        let n_lines = columns.first().map_or(0, Vec::len);
        let (w, h) = (widths.iter().sum::<f64>(), ROW * n_lines as f64);
        let (left, top) = ((area.x + (area.w - w) / 2.0).round(), (area.y + MARGIN + title_height).round());
        let heads = if self.lies() { (widths.first().copied().unwrap_or(0.0), h) } else { (w, ROW.min(h)) };
        scene.rect(Area::new(left, top, heads.0, heads.1), FAINT_GRID);
        for line in 1..n_lines {
            scene.rect(Area::new(left, top + ROW * line as f64 - 0.5, w, 1.0), GRID);
        }
        let mut x = left;
        for (i, (column, width)) in columns.iter().zip(&widths).enumerate() {
            for (line, cell) in column.iter().enumerate() {
                let is_head = if self.lies() { i == 0 } else { line == 0 };
                let at = (x + PADDING, top + ROW * (line as f64 + 0.5));
                scene.text(cell, at, TICK_SIZE, if is_head { MUTED } else { INK }, Anchor::Start);
            }
            x += width;
        }
        scene.frame(Area::new(left, top, w, h), 1.0, GRID);
        Ok(())
    }
}
