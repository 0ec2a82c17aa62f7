//! Lines as shapes: cut at the edge of the plot, dashed, headed as arrows.

use super::scene::{Area, Point, Scene};
use super::style::{Color, INK};

/// The parts of a polyline inside `area`.
pub(super) fn clip(points: &[Point], area: Area) -> Vec<Vec<Point>> {
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
pub(super) fn dashes(scene: &mut Scene, points: &[Point], width: f64, color: Color, (on, off): (f64, f64)) {
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

/// An arrow from one place to another as far as it is inside `area`, its head filled.
pub(super) fn arrow(scene: &mut Scene, from: Point, to: Point, area: Area) {
    let Some((start, end)) = clip_segment(from, to, area) else { return };
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
