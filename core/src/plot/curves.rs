//! Curves, points and arrows on a pair of axes: what there is to draw.

use super::legend::Swatch;
use super::scene::Point;
use super::style::{Color, MISSING, series_color, tint};

/// Curves, points and arrows on one pair of axes.
///
/// Values that no axis can show (NaN, infinities, and what is not positive on a logarithmic axis) are left out, and a
/// line is broken there. Ranges hold all the data unless [`x_range`](Plot::x_range) or [`y_range`](Plot::y_range) says
/// otherwise.
///
/// ```
/// use tallow::plot::{Figure, Plot};
///
/// let figure: Figure = Plot::new("A parabola and its slope")
///     .function("x²", -2.0, 2.0, |x| x * x)
///     .function("slope at 1.5", 0.5, 2.0, |x| 2.25 + 3.0 * (x - 1.5))
///     .point("we are here", 1.5, 2.25)
///     .into();
/// assert!(figure.svg()?.contains("we are here"));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plot {
    pub(super) title: String,
    pub(super) x_label: String,
    pub(super) y_label: String,
    pub(super) x_range: Option<(f64, f64)>,
    pub(super) y_range: Option<(f64, f64)>,
    pub(super) x_log: bool,
    pub(super) y_log: bool,
    pub(super) size: Option<(u32, u32)>,
    pub(super) series: Vec<Series>,
    pub(super) notes: Vec<Note>,
    pub(super) backdrop: Option<Backdrop>,
}

/// Cells of colour behind the series, row by row from the top left.
#[derive(Debug, Clone)]
pub(super) struct Backdrop {
    pub(super) columns: usize,
    pub(super) cells: Vec<[u8; 3]>,
}

#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) swatch: Swatch,
    pub(super) name: String,
    pub(super) xs: Vec<f64>,
    pub(super) ys: Vec<f64>,
    pub(super) color: Color,
    /// The dots' areas, in any unit; none, and they are as large as their number allows.
    pub(super) sizes: Option<Vec<f64>>,
    /// What the SVG says of each dot while the pointer is on it.
    pub(super) hover: Option<Vec<String>>,
    pub(super) has_trend: bool,
}

/// What is drawn over the series.
#[derive(Debug, Clone)]
pub(super) enum Note {
    Arrow(Point, Point),
    Marker(String, Point),
    Horizontal(String, f64),
    Vertical(String, f64),
}

impl Plot {
    /// Empty axes under a title, which may be empty too.
    pub fn new(title: impl Into<String>) -> Plot {
        Plot {
            title: title.into(),
            x_label: String::new(),
            y_label: String::new(),
            x_range: None,
            y_range: None,
            x_log: false,
            y_log: false,
            size: None,
            series: Vec::new(),
            notes: Vec::new(),
            backdrop: None,
        }
    }

    /// What the horizontal axis measures.
    pub fn x_label(mut self, label: impl Into<String>) -> Plot {
        self.x_label = label.into();
        self
    }

    /// What the vertical axis measures.
    pub fn y_label(mut self, label: impl Into<String>) -> Plot {
        self.y_label = label.into();
        self
    }

    /// A dot at each pair of `xs` and `ys`. A series with an empty name is not in the legend.
    pub fn scatter(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Plot {
        self.with_series(Swatch::Dot, name, xs, ys)
    }

    /// A line through the points, in their order.
    pub fn line(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Plot {
        self.with_series(Swatch::Line, name, xs, ys)
    }

    /// A dashed line through the points, in their order.
    pub fn dashed(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Plot {
        self.with_series(Swatch::Dashes, name, xs, ys)
    }

    /// The curve of `f` from `from` to `to`.
    pub fn function(self, name: impl Into<String>, from: f64, to: f64, f: impl Fn(f64) -> f64) -> Plot {
        const STEPS: usize = 400;
        let part = |i: usize| i as f64 / STEPS as f64;
        let mut xs: Vec<f64> = (0..=STEPS).map(|i| from + (to - from) * part(i)).collect();
        if from.min(to) > 0.0 {
            // Dense near zero too, in case the axis is to be logarithmic.
            xs.extend((1..STEPS).map(|i| from * (to / from).powf(part(i))));
            xs.sort_by(f64::total_cmp);
        }
        let ys: Vec<f64> = xs.iter().map(|&x| f(x)).collect();
        self.with_series(Swatch::Line, name, &xs, &ys)
    }

    fn with_series(mut self, swatch: Swatch, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Plot {
        let color = series_color(self.series.len());
        let (name, xs, ys) = (name.into(), xs.to_vec(), ys.to_vec());
        self.series.push(Series { swatch, name, xs, ys, color, sizes: None, hover: None, has_trend: false });
        self
    }

    /// Dots that stand out, larger and with a dark ring: test points among training points.
    pub fn ringed(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Plot {
        self.with_series(Swatch::Ring, name, xs, ys)
    }

    /// Gives the series before the colour of number `index`, so that what belongs together (a class, its line, its
    /// region) has one colour. Without it a series has the colour of its own number.
    pub fn colored(mut self, index: usize) -> Plot {
        if let Some(series) = self.series.last_mut() {
            series.color = series_color(index);
        }
        self
    }

    /// Sizes the dots of the series before: the area of each is proportional to its value, and the largest dot of all
    /// series has a radius of 11 CSS pixels. A value that is negative or not finite draws no dot.
    pub fn sized(mut self, values: &[f64]) -> Plot {
        if let Some(series) = self.series.last_mut() {
            series.sizes = Some(values.to_vec());
        }
        self
    }

    /// A text for each dot of the series before, which the SVG shows while the pointer rests on the dot.
    pub fn hover(mut self, texts: &[impl AsRef<str>]) -> Plot {
        if let Some(series) = self.series.last_mut() {
            series.hover = Some(texts.iter().map(|text| String::from(text.as_ref())).collect());
        }
        self
    }

    /// The least-squares line through the dots of the series before, straight on the axes as they are drawn: with a
    /// logarithmic horizontal axis it is the curve y = a + b log(x). Dots outside of an asked range count as well.
    pub fn trend(mut self) -> Plot {
        if let Some(series) = self.series.last_mut() {
            series.has_trend = true;
        }
        self
    }

    /// Regions of the plane behind the series: for each cell of a grid over the ranges `x` and `y`, row by row from the
    /// top left, the number of its colour, which is pale. The axes show just that rectangle.
    pub fn regions(self, x: (f64, f64), y: (f64, f64), columns: usize, classes: &[u32]) -> Plot {
        let color = |&class: &u32| tint(series_color(class as usize), 0.3);
        self.with_backdrop(x, y, Backdrop { columns, cells: classes.iter().map(color).collect() })
    }

    /// A map behind the series: for each cell, as in [`Plot::regions`], a value from 0, which is white, to 1, which is
    /// the colour of number `index`.
    pub fn shades(self, x: (f64, f64), y: (f64, f64), columns: usize, index: usize, values: &[f64]) -> Plot {
        let color = |&value: &f64| if value.is_nan() { MISSING } else { tint(series_color(index), 0.85 * value) };
        self.with_backdrop(x, y, Backdrop { columns, cells: values.iter().map(color).collect() })
    }

    fn with_backdrop(self, x: (f64, f64), y: (f64, f64), backdrop: Backdrop) -> Plot {
        Plot { backdrop: Some(backdrop), x_range: Some(x), y_range: Some(y), ..self }
    }

    /// An arrow, such as one step of gradient descent.
    pub fn arrow(mut self, from: (f64, f64), to: (f64, f64)) -> Plot {
        self.notes.push(Note::Arrow(from, to));
        self
    }

    /// One emphasised marker, with its label beside it.
    pub fn point(mut self, label: impl Into<String>, x: f64, y: f64) -> Plot {
        self.notes.push(Note::Marker(label.into(), (x, y)));
        self
    }

    /// A thin dashed line across the plot, with its label on it: a target, a baseline.
    pub fn hline(mut self, y: f64, label: impl Into<String>) -> Plot {
        self.notes.push(Note::Horizontal(label.into(), y));
        self
    }

    /// A thin dashed line up the plot, with its label at it.
    pub fn vline(mut self, x: f64, label: impl Into<String>) -> Plot {
        self.notes.push(Note::Vertical(label.into(), x));
        self
    }

    /// Shows `a..=b` (in either order) of the horizontal axis, whatever the data.
    pub fn x_range(mut self, a: f64, b: f64) -> Plot {
        self.x_range = Some((a, b));
        self
    }

    /// Shows `a..=b` (in either order) of the vertical axis, whatever the data.
    pub fn y_range(mut self, a: f64, b: f64) -> Plot {
        self.y_range = Some((a, b));
        self
    }

    /// A logarithmic horizontal axis.
    pub fn log_x(mut self) -> Plot {
        self.x_log = true;
        self
    }

    /// A logarithmic vertical axis.
    pub fn log_y(mut self) -> Plot {
        self.y_log = true;
        self
    }

    /// Width and height in CSS pixels, from 160 by 120 to 4000 by 4000. The default is 640 by 400, and smaller in a
    /// grid.
    pub fn size(mut self, width: u32, height: u32) -> Plot {
        self.size = Some((width, height));
        self
    }
}
