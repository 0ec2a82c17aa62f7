//! Curves, points and arrows on a pair of axes.

use super::axes::{self, Axes, Laid};
use super::labels::{self, Crowd};
use super::legend::{Entry, Swatch};
use super::scale;
use super::scene::{Area, Point, Scene};
use super::style::{Color, INK, LABEL_SIZE, MUTED, PAPER, TICK_SIZE, series_color};
use crate::{Error, Result};

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
    title: String,
    x_label: String,
    y_label: String,
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
    x_log: bool,
    y_log: bool,
    size: Option<(u32, u32)>,
    series: Vec<Series>,
    notes: Vec<Note>,
}

#[derive(Debug, Clone)]
struct Series {
    swatch: Swatch,
    name: String,
    xs: Vec<f64>,
    ys: Vec<f64>,
}

/// What is drawn over the series.
#[derive(Debug, Clone)]
enum Note {
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
        self.series.push(Series { swatch, name: name.into(), xs: xs.to_vec(), ys: ys.to_vec() });
        self
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

    /// Width and height in CSS pixels, from 160 by 120 to 4000 by 4000. The default is 640 by 400, and smaller in a grid.
    pub fn size(mut self, width: u32, height: u32) -> Plot {
        self.size = Some((width, height));
        self
    }

    pub(super) fn natural_size(&self, columns: usize) -> (f64, f64) {
        page_size(self.size, columns)
    }

    /// The height of title and legend in a panel of some width.
    pub(super) fn head_height(&self, width: f64) -> f64 {
        axes::head_height(&self.title, &self.legend(), width)
    }

    fn legend(&self) -> Vec<Entry> {
        let named = self.series.iter().enumerate().filter(|(_, series)| !series.name.is_empty());
        named
            .map(|(i, series)| Entry { swatch: series.swatch, color: series_color(i), name: series.name.clone() })
            .collect()
    }

    /// Draws into `area`, leaving at least `head` for title and legend.
    pub(super) fn draw(&self, scene: &mut Scene, area: Area, head: f64) -> Result<()> {
        for series in &self.series {
            let (xs, ys) = (series.xs.len(), series.ys.len());
            if xs != ys {
                return Err(Error::Value(format!(
                    "plot `{}`: series `{}` has {xs} x values and {ys} y values",
                    self.title, series.name
                )));
            }
        }
        let legend = self.legend();
        let (x_range, y_range) = self.ranges();
        let axes = Axes {
            title: &self.title,
            x_label: &self.x_label,
            y_label: &self.y_label,
            x_range,
            y_range,
            x_log: self.x_log,
            y_log: self.y_log,
            legend: &legend,
            head,
        };
        let laid = axes.draw(scene, area);
        let mut crowd = Crowd::default();
        self.rules(scene, &laid, &mut crowd);
        for (i, series) in self.series.iter().enumerate() {
            series.draw(scene, &laid, series_color(i), &mut crowd);
        }
        laid.spines(scene);
        self.notes(scene, &laid, &mut crowd);
        Ok(())
    }

    fn ranges(&self) -> ((f64, f64), (f64, f64)) {
        let mut points: Vec<Point> = Vec::new();
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for series in &self.series {
            points.extend(series.xs.iter().copied().zip(series.ys.iter().copied()));
        }
        for note in &self.notes {
            match *note {
                Note::Arrow(from, to) => points.extend([from, to]),
                Note::Marker(_, at) => points.push(at),
                Note::Horizontal(_, y) => ys.push(y),
                Note::Vertical(_, x) => xs.push(x),
            }
        }
        // A point that cannot be shown on one axis must not stretch the other; and where one range is asked for, the
        // other need only hold what is in it.
        let inside = |value: f64, asked: Option<(f64, f64)>, log: bool| {
            scale::usable(value, log)
                && asked.is_none_or(|(a, b)| value >= a.min(b) && value <= a.max(b) || a.is_nan() || b.is_nan())
        };
        let seen_x = points.iter().filter(|p| inside(p.1, self.y_range, self.y_log)).map(|p| p.0);
        let seen_y = points.iter().filter(|p| inside(p.0, self.x_range, self.x_log)).map(|p| p.1);
        let x_range = scale::range(seen_x.chain(xs), self.x_range, self.x_log);
        let y_range = scale::range(seen_y.chain(ys), self.y_range, self.y_log);
        (x_range, y_range)
    }

    /// The lines of `hline` and `vline`, under the data.
    fn rules(&self, scene: &mut Scene, laid: &Laid, crowd: &mut Crowd) {
        let inner = laid.inner;
        for note in &self.notes {
            match note {
                Note::Horizontal(_, value) if laid.y.shows(*value) => {
                    if let Some(y) = laid.y.at(*value) {
                        let ends = [(inner.x, y), (inner.right(), y)];
                        crowd.add_line(&ends);
                        dashes(scene, &ends, 1.2, MUTED, (4.0, 3.0));
                    }
                }
                Note::Vertical(_, value) if laid.x.shows(*value) => {
                    if let Some(x) = laid.x.at(*value) {
                        let ends = [(x, inner.bottom()), (x, inner.y)];
                        crowd.add_line(&ends);
                        dashes(scene, &ends, 1.2, MUTED, (4.0, 3.0));
                    }
                }
                _ => {}
            }
        }
    }

    /// Arrows, markers and all labels, over the data.
    fn notes(&self, scene: &mut Scene, laid: &Laid, crowd: &mut Crowd) {
        let inner = laid.inner;
        let mut markers = Vec::new();
        for note in &self.notes {
            match note {
                Note::Arrow(from, to) => arrow(scene, laid, *from, *to, crowd),
                Note::Marker(label, at) => {
                    if let Some(place) = laid.place(*at).filter(|&place| inner.grown(0.5).contains(place)) {
                        markers.push((label, place));
                    }
                }
                Note::Horizontal(..) | Note::Vertical(..) => {}
            }
        }
        for &(_, place) in &markers {
            scene.circle(place, 6.0, PAPER);
            scene.circle(place, 4.5, INK);
            crowd.add_box(Area::new(place.0, place.1, 0.0, 0.0).grown(4.5));
        }
        for (label, place) in markers {
            crowd.write(scene, (label, LABEL_SIZE, INK), inner, |w, h| labels::around(place, w, h));
        }
        for note in &self.notes {
            match note {
                Note::Horizontal(label, value) if laid.y.shows(*value) => {
                    if let Some(y) = laid.y.at(*value) {
                        let places = |w, h| labels::along_horizontal(inner, y, w, h);
                        crowd.write(scene, (label, TICK_SIZE, MUTED), inner, places);
                    }
                }
                Note::Vertical(label, value) if laid.x.shows(*value) => {
                    if let Some(x) = laid.x.at(*value) {
                        let places = |w, h| labels::along_vertical(inner, x, w, h);
                        crowd.write(scene, (label, TICK_SIZE, MUTED), inner, places);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The size asked for, within reason, or the default for a figure of that many columns.
pub(super) fn page_size(asked: Option<(u32, u32)>, columns: usize) -> (f64, f64) {
    let default = match columns {
        1 => (640, 400),
        2 => (460, 320),
        3 => (340, 270),
        _ => (280, 240),
    };
    let (width, height) = asked.unwrap_or(default);
    (f64::from(width.clamp(160, 4000)), f64::from(height.clamp(120, 4000)))
}

impl Laid {
    fn place(&self, (x, y): Point) -> Option<Point> {
        Some((self.x.at(x)?, self.y.at(y)?))
    }
}

impl Series {
    fn draw(&self, scene: &mut Scene, laid: &Laid, color: Color, crowd: &mut Crowd) {
        let places: Vec<Option<Point>> = self.xs.iter().zip(&self.ys).map(|(&x, &y)| laid.place((x, y))).collect();
        if self.swatch == Swatch::Dot {
            let inside: Vec<Point> =
                places.into_iter().flatten().filter(|&place| laid.inner.grown(0.5).contains(place)).collect();
            // Many dots are drawn small and translucent, so that their density shows.
            let (radius, alpha) = match inside.len() {
                0..=200 => (3.2, 0.85),
                201..=2000 => (2.4, 0.6),
                _ => (1.6, 0.4),
            };
            for place in inside {
                scene.circle(place, radius, plotters::style::RGBAColor(color.0, color.1, color.2, alpha));
                crowd.add_point(place);
            }
            return;
        }
        // Noise of thousands of points would be one thick band.
        let width = if places.len() > 1500 { 1.0 } else { 2.0 };
        for run in places.split(Option::is_none) {
            let run: Vec<Point> = run.iter().flatten().copied().collect();
            if let [alone] = run[..] {
                // A line of one point would be invisible.
                if laid.inner.grown(0.5).contains(alone) {
                    scene.circle(alone, 2.5, color);
                    crowd.add_point(alone);
                }
                continue;
            }
            for part in clip(&run, laid.inner) {
                crowd.add_line(&part);
                match self.swatch {
                    Swatch::Dashes => dashes(scene, &part, width, color, (7.0, 4.0)),
                    _ => scene.line(part, width, color),
                }
            }
        }
    }
}

/// The parts of a polyline inside `area`.
fn clip(points: &[Point], area: Area) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    let mut open: Vec<Point> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clip_segment(pair[0], pair[1], area) else {
            parts.extend((!open.is_empty()).then(|| std::mem::take(&mut open)));
            continue;
        };
        if open.last() != Some(&from) {
            parts.extend((!open.is_empty()).then(|| std::mem::take(&mut open)));
            open.push(from);
        }
        open.push(to);
    }
    parts.extend((!open.is_empty()).then_some(open));
    parts
}

/// The part of a segment inside `area`, after Liang and Barsky.
fn clip_segment((x0, y0): Point, (x1, y1): Point, area: Area) -> Option<(Point, Point)> {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let (mut enters, mut leaves) = (0f64, 1f64);
    for (step, room) in [(-dx, x0 - area.x), (dx, area.right() - x0), (-dy, y0 - area.y), (dy, area.bottom() - y0)] {
        if step == 0.0 {
            // Parallel to this side; the half pixel is for points that lie on it but for rounding.
            if room < -0.5 {
                return None;
            }
        } else if step < 0.0 {
            enters = enters.max(room / step);
        } else {
            leaves = leaves.min(room / step);
        }
    }
    let at = |t: f64| match t {
        0.0 => (x0, y0),
        1.0 => (x1, y1),
        _ => (x0 + t * dx, y0 + t * dy),
    };
    (enters <= leaves).then(|| (at(enters), at(leaves)))
}

/// A polyline in dashes of `on` with gaps of `off`.
fn dashes(scene: &mut Scene, points: &[Point], width: f64, color: Color, (on, off): (f64, f64)) {
    let mut left = on;
    let mut drawing = true;
    let mut dash: Vec<Point> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
            dash.push(at);
            if drawing {
                scene.line(std::mem::take(&mut dash), width, color);
            }
            dash = vec![at];
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - done;
        dash.push((x1, y1));
    }
    if drawing {
        scene.line(dash, width, color);
    }
}

/// An arrow from one place to another, its head filled.
fn arrow(scene: &mut Scene, laid: &Laid, from: Point, to: Point, crowd: &mut Crowd) {
    let (Some(from), Some(to)) = (laid.place(from), laid.place(to)) else { return };
    let Some((start, end)) = clip_segment(from, to, laid.inner) else { return };
    let length = (end.0 - start.0).hypot(end.1 - start.1);
    if length < 0.5 {
        return;
    }
    let head = 8f64.min(length * 0.7);
    let (ux, uy) = ((end.0 - start.0) / length, (end.1 - start.1) / length);
    let neck = (end.0 - ux * head, end.1 - uy * head);
    let half = head * 0.4;
    scene.line(vec![start, (neck.0 + ux, neck.1 + uy)], 1.6, INK);
    let corners = vec![end, (neck.0 - uy * half, neck.1 + ux * half), (neck.0 + uy * half, neck.1 - ux * half)];
    scene.polygon(corners, INK);
    crowd.add_line(&[start, end]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_the_edge_and_resumes() {
        let area = Area::new(0.0, 0.0, 10.0, 10.0);
        let parts = clip(&[(1.0, 5.0), (5.0, 5.0), (5.0, 20.0), (8.0, 20.0), (8.0, 5.0)], area);
        assert_eq!(parts, [vec![(1.0, 5.0), (5.0, 5.0), (5.0, 10.0)], vec![(8.0, 10.0), (8.0, 5.0)]]);
        assert!(clip(&[(-5.0, -5.0), (-1.0, 20.0)], area).is_empty());
        assert!(clip(&[], area).is_empty());
    }

    #[test]
    fn dashes_cover_the_line_in_turns() {
        let mut scene = Scene::default();
        dashes(&mut scene, &[(0.0, 0.0), (10.0, 0.0), (20.0, 0.0)], 1.0, INK, (6.0, 4.0));
        assert_eq!(scene.shapes.len(), 2);
    }
}
