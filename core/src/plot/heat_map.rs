//! A matrix as colours, with or without its numbers.

use super::image_grid::title_room;
use super::scene::{Anchor, Area, MARGIN, Pixels, Scene, title_lines};
use super::shorten::fit_all;
use super::style::{GRID, INK, LABEL_SIZE, MISSING, MUTED, PAPER, SPINE, TICK_SIZE, blues, ink_on, red_blue};
use super::{text, ticks};
use crate::error::{Error, Result};

/// A matrix as colours: a confusion matrix with its counts, or a layer's weights.
///
/// Larger is darker blue, from white at 0 (or at the smallest value, if that is negative). NaN is grey.
///
/// ```
/// use tallow::plot::{Figure, HeatMap};
///
/// let figure: Figure = HeatMap::new("Confusion", 2, 2, &[1010.0, 0.0, 12.0, 1016.0])
///     .row_labels(&["3", "7"]).col_labels(&["3", "7"]).x_label("Predicted").y_label("Actual")
///     .numbers(true)
///     .into();
/// assert!(figure.svg()?.contains("1016"));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeatMap {
    title: String,
    x_label: String,
    y_label: String,
    rows: usize,
    columns: usize,
    values: Vec<f64>,
    row_labels: Option<Vec<String>>,
    col_labels: Option<Vec<String>>,
    numbers: bool,
    diverging: bool,
}

/// Where the parts are, measured from the panel's corner.
struct Layout {
    cell: (f64, f64),
    left: f64,
    foot: f64,
    bar: f64,
    upright: bool,
}

/// The longest row or column label, on the page.
const LONGEST_LABEL: f64 = 150.0;
const LABEL_ROW: f64 = 20.0;

impl HeatMap {
    /// `rows` by `cols` values, row by row.
    pub fn new(title: impl Into<String>, rows: usize, cols: usize, values: &[f64]) -> HeatMap {
        HeatMap {
            title: title.into(),
            x_label: String::new(),
            y_label: String::new(),
            rows,
            columns: cols,
            values: values.to_vec(),
            row_labels: None,
            col_labels: None,
            numbers: false,
            diverging: false,
        }
    }

    /// A label at the left of each row.
    pub fn row_labels<S: AsRef<str>>(mut self, labels: &[S]) -> HeatMap {
        self.row_labels = Some(labels.iter().map(|label| text::clean(label.as_ref())).collect());
        self
    }

    /// A label below each column.
    pub fn col_labels<S: AsRef<str>>(mut self, labels: &[S]) -> HeatMap {
        self.col_labels = Some(labels.iter().map(|label| text::clean(label.as_ref())).collect());
        self
    }

    /// Whether each cell shows its number. Without numbers a scale of colours stands at the right.
    pub fn numbers(mut self, numbers: bool) -> HeatMap {
        self.numbers = numbers;
        self
    }

    /// Red for negative, white for zero, blue for positive.
    pub fn diverging(mut self) -> HeatMap {
        self.diverging = true;
        self
    }

    /// What the columns are.
    pub fn x_label(mut self, label: impl Into<String>) -> HeatMap {
        self.x_label = label.into();
        self
    }

    /// What the rows are.
    pub fn y_label(mut self, label: impl Into<String>) -> HeatMap {
        self.y_label = label.into();
        self
    }

    /// The smallest and the largest value of the colour scale.
    fn range(&self) -> (f64, f64) {
        let finite = self.values.iter().copied().filter(|v| v.abs() < 1e300);
        let (lo, hi) = finite.fold((0f64, 0f64), |(lo, hi), v| (lo.min(v), hi.max(v)));
        let (lo, hi) = if self.diverging { (-hi.max(-lo), hi.max(-lo)) } else { (lo, hi) };
        if lo < hi { (lo, hi) } else { (if self.diverging { -1.0 } else { 0.0 }, 1.0) }
    }

    fn color(&self, value: f64, (lo, hi): (f64, f64)) -> [u8; 3] {
        if value.is_nan() {
            return MISSING;
        }
        let part = ((value - lo) / (hi - lo)).clamp(0.0, 1.0);
        if self.diverging { red_blue(2.0 * part - 1.0) } else { blues(part) }
    }

    fn layout(&self) -> Layout {
        let widest = |labels: &Option<Vec<String>>| {
            let widths = labels.iter().flatten().map(|label| text::width(label, TICK_SIZE));
            widths.fold(0.0, f64::max).min(LONGEST_LABEL)
        };
        let (row_labels, col_labels) = (widest(&self.row_labels), widest(&self.col_labels));
        let most = self.rows.max(self.columns).max(1) as f64;
        let cell = if self.numbers {
            let number = self.values.iter().map(|&v| text::width(&ticks::number(v), TICK_SIZE)).fold(0.0, f64::max);
            let side = (380.0 / most).clamp(26.0, 64.0).round();
            (side.max((number + 12.0).round()), side)
        } else {
            let side = (300.0 / most).clamp(1.0, 48.0);
            let text_height = if self.row_labels.is_some() { TICK_SIZE + 3.0 } else { 1.0 };
            let side = side.floor().max(text_height);
            (side, side)
        };
        let upright = col_labels + 6.0 > cell.0;
        let below = match (col_labels > 0.0, upright) {
            (false, _) => 0.0,
            (true, false) => 18.0,
            (true, true) => col_labels + 10.0,
        };
        let axis = |label: &str| if label.is_empty() { 0.0 } else { LABEL_ROW };
        Layout {
            cell,
            left: MARGIN + axis(&self.y_label) + if row_labels > 0.0 { row_labels + 8.0 } else { 0.0 },
            foot: MARGIN + axis(&self.x_label) + below,
            bar: if self.numbers { 0.0 } else { 86.0 },
            upright,
        }
    }

    pub(super) fn natural_size(&self) -> (f64, f64) {
        let layout = self.layout();
        let (w, h) = (layout.cell.0 * self.columns as f64, layout.cell.1 * self.rows as f64);
        let width = (layout.left + w + layout.bar + MARGIN).max(title_room(&self.title) + 2.0 * MARGIN);
        let (_, title_height) = title_lines(&self.title, width - 2.0 * MARGIN);
        (width, MARGIN + title_height + h + layout.foot)
    }

    fn check(&self) -> Result<()> {
        let (rows, columns, values) = (self.rows, self.columns, self.values.len());
        if rows.checked_mul(columns) != Some(values) || values == 0 {
            return Err(Error::shape(
                format!(
                    "heat map `{}`: {rows} rows of {columns} need {} values (at least one), and there are {values}",
                    self.title,
                    rows.saturating_mul(columns)
                ),
                &[values],
            ));
        }
        for (what, labels, n) in [("row", &self.row_labels, rows), ("column", &self.col_labels, columns)] {
            if let Some(labels) = labels
                && labels.len() != n
            {
                let found = labels.len();
                let message = format!("heat map `{}`: {n} {what}s and {found} {what} labels", self.title);
                return Err(Error::shape(message, &[found]));
            }
        }
        Ok(())
    }

    pub(super) fn draw(&self, scene: &mut Scene, area: Area) -> Result<()> {
        self.check()?;
        let layout = self.layout();
        let (natural_w, _) = self.natural_size();
        let shift = ((area.w - natural_w) / 2.0).max(0.0).round();
        let (title, title_height) = title_lines(&self.title, area.w - 2.0 * MARGIN);
        scene.title(&title, area.middle().0, area.y + MARGIN);
        let (cell_w, cell_h) = layout.cell;
        let left = (area.x + shift + layout.left).round();
        let top = (area.y + MARGIN + title_height).round();
        let inner = Area::new(left, top, cell_w * self.columns as f64, cell_h * self.rows as f64);
        let range = self.range();
        let rgb = self.values.iter().flat_map(|&value| self.color(value, range)).collect();
        scene.image(inner, Pixels { width: self.columns as u32, height: self.rows as u32, rgb });
        if self.numbers {
            self.write_numbers(scene, inner, layout.cell, range);
        } else {
            self.draw_scale(scene, inner, range);
        }
        scene.frame(inner.grown(1.0), 1.0, GRID);
        self.write_labels(scene, inner, &layout);
        Ok(())
    }

    fn write_numbers(&self, scene: &mut Scene, inner: Area, (cell_w, cell_h): (f64, f64), range: (f64, f64)) {
        for column in 1..self.columns {
            scene.rect(Area::new(inner.x + cell_w * column as f64 - 0.5, inner.y, 1.0, inner.h), PAPER);
        }
        for row in 1..self.rows {
            scene.rect(Area::new(inner.x, inner.y + cell_h * row as f64 - 0.5, inner.w, 1.0), PAPER);
        }
        for (i, &value) in self.values.iter().enumerate() {
            let (row, column) = ((i / self.columns) as f64, (i % self.columns) as f64);
            let at = (inner.x + cell_w * (column + 0.5), inner.y + cell_h * (row + 0.5));
            // Zeros step back: in a confusion matrix they are what one wants to see least.
            let color = if value == 0.0 { SPINE } else { ink_on(self.color(value, range)) };
            let number = if value.is_nan() { "–".to_string() } else { ticks::number(value) };
            scene.text(&number, at, TICK_SIZE, color, Anchor::Middle);
        }
    }

    /// The colour scale at the right, with its ends and its middle named.
    fn draw_scale(&self, scene: &mut Scene, inner: Area, (lo, hi): (f64, f64)) {
        const STEPS: u32 = 64;
        let bar = Area::new(inner.right() + 14.0, inner.y, 12.0, inner.h);
        let value_at = |i: u32| hi - (hi - lo) * f64::from(i) / f64::from(STEPS - 1);
        let rgb = (0..STEPS).flat_map(|i| self.color(value_at(i), (lo, hi))).collect();
        scene.image(bar, Pixels { width: 1, height: STEPS, rgb });
        scene.frame(bar.grown(1.0), 1.0, GRID);
        let places = [(hi, bar.y + 4.0), ((lo + hi) / 2.0, bar.middle().1), (lo, bar.bottom() - 4.0)];
        // A low map has room for its ends only.
        for (value, y) in places.into_iter().step_by(if bar.h < 48.0 { 2 } else { 1 }) {
            let label = text::fit(&ticks::number(value), TICK_SIZE, 62.0);
            scene.text(&label, (bar.right() + 6.0, y), TICK_SIZE, MUTED, Anchor::Start);
        }
    }

    fn write_labels(&self, scene: &mut Scene, inner: Area, layout: &Layout) {
        let (cell_w, cell_h) = layout.cell;
        for (i, label) in fitted(&self.row_labels).iter().enumerate() {
            let at = (inner.x - 8.0, inner.y + cell_h * (i as f64 + 0.5));
            scene.text(label, at, TICK_SIZE, INK, Anchor::End);
        }
        for (i, label) in fitted(&self.col_labels).iter().enumerate() {
            let x = inner.x + cell_w * (i as f64 + 0.5);
            if layout.upright {
                scene.upright_text(label, (x, inner.bottom() + 7.0), TICK_SIZE, INK, Anchor::End);
            } else {
                scene.text(label, (x, inner.bottom() + 12.0), TICK_SIZE, INK, Anchor::Middle);
            }
        }
        let (center_x, center_y) = inner.middle();
        let x_label = text::fit(&text::clean(&self.x_label), LABEL_SIZE, inner.w.max(80.0));
        let y_label = text::fit(&text::clean(&self.y_label), LABEL_SIZE, inner.h.max(40.0));
        let below = inner.bottom() + layout.foot - MARGIN - 5.0;
        scene.text(&x_label, (center_x, below), LABEL_SIZE, INK, Anchor::Middle);
        let beside = inner.x - layout.left + MARGIN + 5.0;
        scene.upright_text(&y_label, (beside, center_y), LABEL_SIZE, INK, Anchor::Middle);
    }
}

/// Labels as they have room.
fn fitted(labels: &Option<Vec<String>>) -> Vec<String> {
    labels.as_deref().map_or_else(Vec::new, |labels| fit_all(labels, TICK_SIZE, LONGEST_LABEL))
}
