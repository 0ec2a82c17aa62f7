//! A table of words and numbers.

use super::image_grid::title_room;
use super::scene::{Anchor, Area, MARGIN, Scene, title_lines};
use super::style::{FAINT_GRID, GRID, INK, MUTED, TICK_SIZE};
use super::text;
use crate::error::{Error, Result};

/// Rows of texts under heads. A table with more columns than rows is laid on its side, heads at the left, so that it
/// stays legible on a page. Long cells are broken into lines where the table stands, and cut where it lies.
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
/// Longer cells are broken into lines or cut.
const LONGEST: f64 = 150.0;
/// What the columns with longer cells share, so that a page need not make the figure smaller.
const WIDEST: f64 = 420.0;
const LINE: f64 = 15.0;
const MOST_LINES: usize = 6;

/// The lines of a cell.
type Cell = Vec<String>;

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
    fn columns(&self) -> Vec<Vec<Cell>> {
        let rows: Vec<&Vec<String>> = [&self.heads].into_iter().chain(&self.rows).collect();
        if self.lies() {
            let cut = |cell: &String| vec![text::fit(&text::clean(cell), TICK_SIZE, LONGEST)];
            return rows.into_iter().map(|row| row.iter().map(cut).collect()).collect();
        }
        let column = |i: usize| rows.iter().map(move |row| row.get(i).map_or("", String::as_str));
        let is_long = |i: &usize| column(*i).any(|cell| text::width(beginning(cell), TICK_SIZE) > LONGEST);
        let long = (0..self.heads.len()).filter(is_long).count();
        let width = (WIDEST / long.max(1) as f64).max(LONGEST);
        let lines = |cell: &str| text::wrap(beginning(cell), TICK_SIZE, width, MOST_LINES);
        (0..self.heads.len()).map(|i| column(i).map(lines).collect()).collect()
    }

    fn widths(columns: &[Vec<Cell>]) -> Vec<f64> {
        let width = |column: &Vec<Cell>| {
            let lines = column.iter().flatten();
            lines.map(|line| text::width(line, TICK_SIZE)).fold(0.0, f64::max)
        };
        columns.iter().map(|column| width(column).ceil() + 2.0 * PADDING).collect()
    }

    /// The height of each row of cells.
    fn heights(columns: &[Vec<Cell>]) -> Vec<f64> {
        let lines = |row: usize| columns.iter().filter_map(|column| column.get(row)).map(Vec::len).max().unwrap_or(0);
        let n = columns.first().map_or(0, Vec::len);
        (0..n).map(|row| ROW + LINE * lines(row).saturating_sub(1) as f64).collect()
    }

    pub(super) fn natural_size(&self) -> (f64, f64) {
        let columns = self.columns();
        let height: f64 = TextTable::heights(&columns).iter().sum();
        let width: f64 = TextTable::widths(&columns).iter().sum();
        let width = (width + 2.0 * MARGIN).max(title_room(&self.title) + 2.0 * MARGIN);
        let (_, title_height) = title_lines(&self.title, width - 2.0 * MARGIN);
        (width, height + title_height + 2.0 * MARGIN)
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
        let heights = TextTable::heights(&columns);
        let (w, h) = (widths.iter().sum::<f64>(), heights.iter().sum::<f64>());
        let (left, top) = ((area.x + (area.w - w) / 2.0).round(), (area.y + MARGIN + title_height).round());
        let first = heights.first().copied().unwrap_or(0.0);
        let heads = if self.lies() { (widths.first().copied().unwrap_or(0.0), h) } else { (w, first) };
        scene.rect(Area::new(left, top, heads.0, heads.1), FAINT_GRID);
        let mut y = top;
        for height in heights.iter().take(heights.len().saturating_sub(1)) {
            y += height;
            scene.rect(Area::new(left, y - 0.5, w, 1.0), GRID);
        }
        let mut x = left;
        for (i, (column, width)) in columns.iter().zip(&widths).enumerate() {
            let mut y = top + ROW / 2.0;
            for (row, (cell, height)) in column.iter().zip(&heights).enumerate() {
                let is_head = if self.lies() { i == 0 } else { row == 0 };
                for (line, words) in cell.iter().enumerate() {
                    let at = (x + PADDING, y + LINE * line as f64);
                    scene.text(words, at, TICK_SIZE, if is_head { MUTED } else { INK }, Anchor::Start);
                }
                y += height;
            }
            x += width;
        }
        scene.frame(Area::new(left, top, w, h), 1.0, GRID);
        Ok(())
    }
}

/// All of a cell that can be seen: a text may be megabytes long.
fn beginning(cell: &str) -> &str {
    const MOST_CHARS: usize = 2000;
    cell.char_indices().nth(MOST_CHARS).map_or(cell, |(end, _)| &cell[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Figure;

    #[test]
    fn long_cells_are_broken_and_short_ones_stay() {
        let long = format!("{} end", "words that go on ".repeat(6));
        let row = |text: &str| vec![text.to_string(), "neg".to_string()];
        let figure: Figure = TextTable::new("", &["text", "class"], &[row(&long), row("x"), row("")]).into();
        assert!(figure.size().0 < 520, "{:?}", figure.size());
        let svg = figure.svg().unwrap();
        assert!(svg.contains(" end") || svg.contains(">end"), "{svg}");
        // What fills more lines than there are is cut, and a megabyte is not measured.
        let table = TextTable::new("", &["text", "class"], &vec![row(&"word ".repeat(200_000)); 2]);
        let lines = &table.columns()[0][1];
        assert!(lines.len() == MOST_LINES && lines[MOST_LINES - 1].ends_with('…'), "{lines:?}");
        // On its side it has a line for each head.
        let lying = TextTable::new("", &["a", "b"], &[row(&long)]).columns();
        assert!(lying.iter().flatten().all(|cell| cell.len() == 1) && lying[1][0][0].ends_with('…'), "{lying:?}");
    }
}
