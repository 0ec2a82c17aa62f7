//! Labels inside a plot: each is put where it covers least.

use super::scene::{Anchor, Area, Point, Scene};
use super::style::{Color, VEIL};
use super::text;

/// What is drawn already, and should not be written over.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    points: Vec<Point>,
    boxes: Vec<Area>,
}

/// Points remembered at most: more would not change where a label goes.
const MAX_POINTS: usize = 20_000;

impl Crowd {
    /// A marker stands here.
    pub(super) fn add_point(&mut self, at: Point) {
        if self.points.len() < MAX_POINTS {
            self.points.push(at);
        }
    }

    /// A line runs through these points.
    pub(super) fn add_line(&mut self, points: &[Point]) {
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let steps = ((x1 - x0).hypot(y1 - y0) / 3.0).ceil().clamp(1.0, 1000.0) as usize;
            for i in 0..steps {
                let t = i as f64 / steps as f64;
                self.add_point((x0 + t * (x1 - x0), y0 + t * (y1 - y0)));
            }
        }
    }

    /// Something solid lies here.
    pub(super) fn add_box(&mut self, area: Area) {
        self.boxes.push(area);
    }

    /// How many points of the data lie in `area`.
    fn covered(&self, area: Area) -> usize {
        self.points.iter().filter(|&&point| area.contains(point)).count()
    }

    /// The candidate that covers least, pushed into `bounds`; the earlier of about equals.
    fn best(&self, candidates: &[Area], bounds: Area) -> Option<Area> {
        let cost = |&(rank, area, pushed): &(usize, Area, f64)| {
            let room = area.grown(1.5);
            let boxes = self.boxes.iter().filter(|other| room.overlaps(other)).count();
            4 * self.covered(room) + 400 * boxes + rank + 2 * pushed.min(1e6) as usize
        };
        let pushed = candidates.iter().enumerate().map(|(rank, area)| {
            let x = area.x.min(bounds.right() - area.w).max(bounds.x);
            let y = area.y.min(bounds.bottom() - area.h).max(bounds.y);
            (rank, Area::new(x, y, area.w, area.h), (x - area.x).abs() + (y - area.y).abs())
        });
        pushed.min_by_key(cost).map(|(_, area, _)| area)
    }

    /// Writes `label` in the best of the places that `candidates` makes from its width and height.
    pub(super) fn write(
        &mut self,
        scene: &mut Scene,
        (label, size, color): (&str, f64, Color),
        bounds: Area,
        candidates: impl FnOnce(f64, f64) -> Vec<Area>,
    ) {
        let label = text::fit(&text::clean(label), size, 0.7 * bounds.w);
        if label.trim().is_empty() {
            return;
        }
        let (w, h) = (text::width(&label, size), size * 1.25);
        let Some(area) = self.best(&candidates(w, h), bounds) else { return };
        if self.covered(area) > 0 {
            scene.rect(area.grown(1.0), VEIL);
        }
        scene.text(&label, (area.x, area.middle().1), size, color, Anchor::Start);
        self.add_box(area);
    }
}

/// Places around a marker, the nicest first.
pub(super) fn around((x, y): Point, w: f64, h: f64) -> Vec<Area> {
    let mut places = Vec::new();
    for (aside, away) in [(4.0, 6.5), (9.0, 13.0), (18.0, 24.0)] {
        let (above, below) = (y - away - h, y + away);
        places.extend([
            Area::new(x + aside, above, w, h),
            Area::new(x + away + 3.0, y - h / 2.0, w, h),
            Area::new(x + aside, below, w, h),
            Area::new(x - aside - w, above, w, h),
            Area::new(x - away - 3.0 - w, y - h / 2.0, w, h),
            Area::new(x - aside - w, below, w, h),
            Area::new(x - w / 2.0, above, w, h),
            Area::new(x - w / 2.0, below, w, h),
        ]);
    }
    places
}

/// Places along a horizontal line: right end first, above before below.
pub(super) fn along_horizontal(bounds: Area, y: f64, w: f64, h: f64) -> Vec<Area> {
    let slack = (bounds.w - w - 8.0).max(0.0);
    let mut places = Vec::new();
    for part in [1.0, 0.0, 0.75, 0.25, 0.5] {
        let x = bounds.x + 4.0 + slack * part;
        places.extend([Area::new(x, y - h - 3.0, w, h), Area::new(x, y + 3.0, w, h)]);
    }
    places
}

/// Places along a vertical line: top first, right before left.
pub(super) fn along_vertical(bounds: Area, x: f64, w: f64, h: f64) -> Vec<Area> {
    let slack = (bounds.h - h - 8.0).max(0.0);
    let mut places = Vec::new();
    for part in [0.0, 1.0, 0.25, 0.75, 0.5] {
        let y = bounds.y + 4.0 + slack * part;
        places.extend([Area::new(x + 5.0, y, w, h), Area::new(x - 5.0 - w, y, w, h)]);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_avoids_curves_boxes_and_edges() {
        let bounds = Area::new(0.0, 0.0, 100.0, 100.0);
        let mut crowd = Crowd::default();
        crowd.add_line(&[(0.0, 45.0), (100.0, 45.0)]);
        let best = crowd.best(&along_horizontal(bounds, 50.0, 30.0, 12.0), bounds).unwrap();
        assert!(best.y > 50.0, "below the line, because the curve runs above it: {best:?}");
        crowd.add_box(best);
        let next = crowd.best(&along_horizontal(bounds, 50.0, 30.0, 12.0), bounds).unwrap();
        assert!(!next.overlaps(&best));
        let corner = crowd.best(&around((99.0, 1.0), 30.0, 12.0), bounds).unwrap();
        assert!(corner.right() <= 100.0 && corner.y >= 0.0, "{corner:?}");
    }
}
