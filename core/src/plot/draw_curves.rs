//! Draws a [`Plot`]: ranges, legend, series, and what lies over them.

use super::Plot;
use super::axes::{self, Axes, Laid};
use super::curves::{Backdrop, Note, Series};
use super::dots;
use super::labels::{self, Crowd};
use super::legend::{Entry, Swatch, ringed_dot};
use super::scale;
use super::scene::{Area, Part, Pixels, Point, Scene};
use super::strokes::{arrow, clip, dashes};
use super::style::{INK, LABEL_SIZE, MUTED, PAPER, TICK_SIZE};
use crate::error::{Error, Result};

impl Plot {
    pub(super) fn natural_size(&self, columns: usize) -> (f64, f64) {
        page_size(self.size, columns)
    }

    /// The height of title and legend in a panel of some width.
    pub(super) fn head_height(&self, width: f64) -> f64 {
        axes::head_height(&self.title, &self.legend(None), width)
    }

    /// The named series, numbered from `first` on if there is one.
    fn legend(&self, first: Option<usize>) -> Vec<Entry> {
        let named = self.series.iter().enumerate().filter(|(_, series)| !series.name.is_empty());
        let entry = |(i, series): (usize, &Series)| Entry {
            swatch: series.swatch,
            color: series.color,
            name: series.name.clone(),
            series: first.map(|first| first + i),
        };
        named.map(entry).collect()
    }

    /// Draws into `area`, leaving at least `head` for title and legend.
    pub(super) fn draw(&self, scene: &mut Scene, area: Area, head: f64) -> Result<()> {
        for series in &self.series {
            series.check_dots(&self.title)?;
            let (xs, ys) = (series.xs.len(), series.ys.len());
            if xs != ys {
                return Err(Error::shape(
                    format!("plot `{}`: series `{}` has {xs} x values and {ys} y values", self.title, series.name),
                    &[xs, ys],
                ));
            }
        }
        // A picture of one series is nothing without it.
        let first = (self.series.len() > 1).then(|| scene.number_series(self.series.len()));
        let legend = self.legend(first);
        let (x_range, y_range) = self.ranges();
        let axes = Axes {
            title: &self.title,
            x_label: &self.x_label,
            y_label: &self.y_label,
            x_range,
            y_range,
            x_log: self.x_log,
            x_whole: self.series.iter().flat_map(|series| &series.xs).all(|x| x.fract() == 0.0),
            y_log: self.y_log,
            legend: &legend,
            head,
        };
        let laid = axes.draw(scene, area);
        if let Some(backdrop) = &self.backdrop {
            scene.image(laid.inner, backdrop.pixels(&self.title)?);
        }
        let mut crowd = Crowd::default();
        self.rules(scene, &laid, &mut crowd);
        let largest = dots::largest(&self.series);
        for (i, series) in self.series.iter().enumerate() {
            let part = first.map(|first| Part::Series(first + i));
            scene.draw_part(part, |scene| series.draw(scene, &laid, largest, &mut crowd));
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
                Note::Arrow(from, to) => {
                    if let (Some(from), Some(to)) = (laid.place(*from), laid.place(*to)) {
                        arrow(scene, from, to, inner);
                        crowd.add_line(&clip(&[from, to], inner).concat());
                    }
                }
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

impl Backdrop {
    fn pixels(&self, title: &str) -> Result<Pixels> {
        let (columns, cells) = (self.columns, self.cells.len());
        if columns == 0 || cells == 0 || !cells.is_multiple_of(columns) {
            return Err(Error::shape(format!("plot `{title}`: {cells} cells do not fill rows of {columns}"), &[cells]));
        }
        let side =
            |n: usize| u32::try_from(n).map_err(|_| Error::shape(format!("plot `{title}`: {n} cells in a row"), &[n]));
        Ok(Pixels { width: side(columns)?, height: side(cells / columns)?, rgb: self.cells.concat() })
    }
}

impl Laid {
    fn place(&self, (x, y): Point) -> Option<Point> {
        Some((self.x.at(x)?, self.y.at(y)?))
    }
}

impl Series {
    fn draw(&self, scene: &mut Scene, laid: &Laid, largest: f64, crowd: &mut Crowd) {
        let color = self.color;
        let places: Vec<Option<Point>> = self.xs.iter().zip(&self.ys).map(|(&x, &y)| laid.place((x, y))).collect();
        if self.swatch == Swatch::Ring {
            for place in places.into_iter().flatten().filter(|&place| laid.inner.grown(0.5).contains(place)) {
                ringed_dot(scene, place, color);
                crowd.add_point(place);
            }
            return;
        }
        if self.swatch == Swatch::Dot {
            return self.draw_dots(scene, &places, laid.inner, largest, crowd);
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
