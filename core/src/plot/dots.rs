//! Draws the dots of a series: their sizes, their texts, and the line through them.

use plotters::style::RGBAColor;

use super::curves::Series;
use super::labels::Crowd;
use super::scene::{Area, Point, Scene};
use super::strokes::clip;
use crate::error::{Error, Result};

/// The radius of the largest dot where dots have sizes.
const LARGEST: f64 = 11.0;

/// The pointer finds a small dot from this far away.
const REACH: f64 = 5.0;

/// The largest size of a dot in any of the series.
pub(super) fn largest(series: &[Series]) -> f64 {
    let sizes = series.iter().filter_map(|series| series.sizes.as_ref()).flatten();
    sizes.copied().filter(|size| size.is_finite()).fold(0.0, f64::max)
}

impl Series {
    /// An error where there are more or fewer sizes or texts than dots.
    pub(super) fn check_dots(&self, title: &str) -> Result<()> {
        let (sizes, texts) = (self.sizes.as_ref().map(Vec::len), self.hover.as_ref().map(Vec::len));
        for (found, what) in [(sizes, "sizes"), (texts, "texts to hover over")] {
            if let Some(found) = found.filter(|&found| found != self.xs.len()) {
                let dots = self.xs.len();
                let message = format!("plot `{title}`: series `{}` has {dots} dots and {found} {what}", self.name);
                return Err(Error::shape(message, &[dots, found]));
            }
        }
        Ok(())
    }

    /// Draws the dots at `places`, which are none where an axis cannot show the values.
    pub(super) fn draw_dots(
        &self,
        scene: &mut Scene,
        places: &[Option<Point>],
        inner: Area,
        largest: f64,
        crowd: &mut Crowd,
    ) {
        let is_inside = |place: &Point| inner.grown(0.5).contains(*place);
        let n_inside = places.iter().flatten().filter(|place| is_inside(place)).count();
        // Many dots are drawn small and translucent, so that their density shows.
        let (radius, alpha) = match (n_inside, self.sizes.is_some()) {
            (_, true) => (0.0, 0.55),
            (0..=200, _) => (3.2, 0.85),
            (201..=2000, _) => (2.4, 0.6),
            _ => (1.6, 0.4),
        };
        let RGBAColor(r, g, b, _) = self.color;
        for (i, place) in places.iter().enumerate() {
            let Some(place) = place.filter(is_inside) else { continue };
            let radius = match &self.sizes {
                Some(sizes) => LARGEST * (sizes.get(i).copied().unwrap_or(f64::NAN) / largest).sqrt(),
                None => radius,
            };
            if !radius.is_finite() {
                continue;
            }
            scene.circle(place, radius, RGBAColor(r, g, b, alpha));
            if let Some(text) = self.hover.as_ref().and_then(|texts| texts.get(i)) {
                scene.hover(place, radius.max(REACH), text);
            }
            crowd.add_point(place);
        }
        if let Some(ends) = self.trend_ends(places) {
            for part in clip(&ends, inner) {
                crowd.add_line(&part);
                scene.line(part, 2.0, self.color);
            }
        }
    }

    /// The ends of the least-squares line through the dots on the page, where an axis is straight whatever its scale.
    fn trend_ends(&self, places: &[Option<Point>]) -> Option<[Point; 2]> {
        let dots: Vec<Point> = places.iter().flatten().copied().filter(|_| self.has_trend).collect();
        let n = dots.len() as f64;
        let (x_mean, y_mean) = dots.iter().fold((0.0, 0.0), |(x, y), dot| (x + dot.0 / n, y + dot.1 / n));
        let (spread, common) = dots.iter().fold((0.0, 0.0), |(spread, common), dot| {
            let dx = dot.0 - x_mean;
            (spread + dx * dx, common + dx * (dot.1 - y_mean))
        });
        let at = |x: f64| (x, y_mean + common / spread * (x - x_mean));
        let (left, right) = dots
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(left, right), dot| (left.min(dot.0), right.max(dot.0)));
        (spread > 1e-9).then(|| [at(left), at(right)])
    }
}
