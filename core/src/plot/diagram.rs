//! A network as a graph: circles in columns, and a line for each weight.

use super::scene::{Anchor, Area, MARGIN, Scene, title_lines};
use super::shorten::fit_all;
use super::style::{BLUE, GREEN, INK, LABEL_SIZE, PAPER, SPINE, TICK_SIZE, VEIL, VERMILLION, tint};
use super::text;
use crate::error::{Error, Result};
use plotters::style::RGBAColor;

/// A network as a graph: a column of circles for each layer, each joined to all of the column before. mglearn draws its
/// `plot_logistic_regression_graph` and `plot_single_hidden_layer_graph` so.
///
/// ```
/// use tallow::plot::{Diagram, Figure};
///
/// let figure: Figure = Diagram::new("Logistic regression")
///     .layer("inputs", &["x[0]", "x[1]"])
///     .weights(&["w[0]", "w[1]"])
///     .layer("output", &["y"])
///     .into();
/// assert!(figure.svg()?.contains("w[1]"));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Diagram {
    title: String,
    layers: Vec<Layer>,
}

#[derive(Debug, Clone, Default)]
struct Layer {
    name: String,
    units: Vec<String>,
    /// The labels of the lines to the next layer: unit by unit, for each all units of the next.
    weights: Vec<String>,
}

const RADIUS: f64 = 19.0;
const ROW: f64 = 58.0;
const COLUMN: f64 = 150.0;
const NAME_ROW: f64 = 26.0;

impl Diagram {
    /// A graph without layers under a title, which may be empty.
    pub fn new(title: impl Into<String>) -> Diagram {
        Diagram { title: title.into(), layers: Vec::new() }
    }

    /// One more column: the layer's name below it, and what stands in its circles.
    pub fn layer<S: AsRef<str>>(mut self, name: impl Into<String>, units: &[S]) -> Diagram {
        let units = units.iter().map(|unit| text::clean(unit.as_ref())).collect();
        self.layers.push(Layer { name: name.into(), units, weights: Vec::new() });
        self
    }

    /// Labels for the lines from the last layer to the one that comes next: for its first circle those to all circles
    /// of the next one, then for its second.
    pub fn weights<S: AsRef<str>>(mut self, labels: &[S]) -> Diagram {
        if let Some(layer) = self.layers.last_mut() {
            layer.weights = labels.iter().map(|label| text::clean(label.as_ref())).collect();
        }
        self
    }

    fn tallest(&self) -> usize {
        self.layers.iter().map(|layer| layer.units.len()).max().unwrap_or(0).max(1)
    }

    pub(super) fn natural_size(&self) -> (f64, f64) {
        let width = 2.0 * (MARGIN + 2.0 * RADIUS + 10.0) + COLUMN * self.layers.len().saturating_sub(1) as f64;
        let width = width.max(200.0);
        let title = title_lines(&self.title, width - 2.0 * MARGIN).1;
        (width, 2.0 * MARGIN + title + ROW * self.tallest() as f64 + NAME_ROW)
    }

    pub(super) fn draw(&self, scene: &mut Scene, area: Area) -> Result<()> {
        let (title, head) = title_lines(&self.title, area.w - 2.0 * MARGIN);
        scene.title(&title, area.middle().0, area.y + MARGIN);
        let top = area.y + MARGIN + head;
        let height = ROW * self.tallest() as f64;
        let left = area.middle().0 - COLUMN * (self.layers.len().saturating_sub(1)) as f64 / 2.0;
        let place = |column: usize, unit: usize| {
            let units = self.layers[column].units.len() as f64;
            (left + COLUMN * column as f64, top + height / 2.0 + ROW * (unit as f64 - (units - 1.0) / 2.0))
        };
        for (column, pair) in self.layers.windows(2).enumerate() {
            let (from, to) = (&pair[0], &pair[1]);
            let lines = from.units.len() * to.units.len();
            if !from.weights.is_empty() && from.weights.len() != lines {
                let labels = from.weights.len();
                return Err(Error::shape(
                    format!("diagram `{}`: {labels} labels for {lines} lines", self.title),
                    &[labels],
                ));
            }
            for i in 0..from.units.len() {
                for j in 0..to.units.len() {
                    scene.line(vec![place(column, i), place(column + 1, j)], 1.0, SPINE);
                }
            }
            for (line, label) in from.weights.iter().enumerate() {
                // A third of the way, where the lines are still apart.
                let (a, b) = (place(column, line / to.units.len()), place(column + 1, line % to.units.len()));
                let at = (a.0 + (b.0 - a.0) * 0.42, a.1 + (b.1 - a.1) * 0.42);
                let half = text::width(label, TICK_SIZE) / 2.0 + 3.0;
                scene.rect(Area::new(at.0 - half, at.1 - 7.0, 2.0 * half, 14.0), VEIL);
                scene.text(label, at, TICK_SIZE, INK, Anchor::Middle);
            }
        }
        let last = self.layers.len().saturating_sub(1);
        for (column, layer) in self.layers.iter().enumerate() {
            let color = match column {
                0 => BLUE,
                _ if column == last => VERMILLION,
                _ => GREEN,
            };
            let [r, g, b] = tint(color, 0.18);
            for (unit, label) in fit_all(&layer.units, TICK_SIZE, 2.0 * RADIUS - 3.0).iter().enumerate() {
                let at = place(column, unit);
                scene.circle(at, RADIUS, PAPER);
                scene.circle(at, RADIUS, color);
                scene.circle(at, RADIUS - 1.5, RGBAColor(r, g, b, 1.0));
                scene.text(label, at, TICK_SIZE, INK, Anchor::Middle);
            }
            let name = text::fit(&text::clean(&layer.name), LABEL_SIZE, COLUMN - 8.0);
            scene.text(&name, (place(column, 0).0, top + height + 12.0), LABEL_SIZE, INK, Anchor::Middle);
        }
        Ok(())
    }
}
