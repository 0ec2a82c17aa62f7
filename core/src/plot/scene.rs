//! A picture as a list of shapes in page coordinates, before any file format is chosen.

use super::style::{Color, INK, TITLE_SIZE};
use super::text;
use std::ops::Range;

/// A place on the page: right, down; one unit is one CSS pixel.
pub(super) type Point = (f64, f64);

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl Area {
    pub(super) fn new(x: f64, y: f64, w: f64, h: f64) -> Area {
        Area { x, y, w, h }
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.h
    }

    pub(super) fn middle(&self) -> Point {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    pub(super) fn contains(&self, (x, y): Point) -> bool {
        (self.x..=self.right()).contains(&x) && (self.y..=self.bottom()).contains(&y)
    }

    pub(super) fn overlaps(&self, other: &Area) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// The same rectangle, `by` larger on every side.
    pub(super) fn grown(&self, by: f64) -> Area {
        Area::new(self.x - by, self.y - by, self.w + 2.0 * by, self.h + 2.0 * by)
    }
}

/// Which part of a line of text sits at its point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// An RGB image, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgb: Vec<u8>,
}

/// One thing to draw.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Rect {
        area: Area,
        fill: Color,
    },
    Line {
        points: Vec<Point>,
        width: f64,
        color: Color,
    },
    /// Its corners in order; convex.
    Polygon {
        corners: Vec<Point>,
        fill: Color,
    },
    Circle {
        center: Point,
        radius: f64,
        fill: Color,
    },
    /// `at` is half-way up the capitals. Upright text reads from bottom to top.
    Text {
        text: String,
        at: Point,
        size: f64,
        color: Color,
        anchor: Anchor,
        upright: bool,
    },
    /// Where the pointer shows a text, in a file format that knows pointers.
    Hover {
        center: Point,
        radius: f64,
        text: String,
    },
    /// Every source pixel becomes a rectangle of its own: no smoothing when magnified.
    Image {
        area: Area,
        pixels: Pixels,
    },
}

/// What a shape belongs to, in a file format whose series can be shown and hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A series of the picture.
    Series(usize),
    /// The series' entry in the legend.
    Key(usize),
}

/// Shapes in painting order, except that images lie below everything else.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) shapes: Vec<Shape>,
    /// Ranges of shapes that belong to something, in order.
    parts: Vec<(Part, Range<usize>)>,
    /// Series that have a number.
    series: usize,
}

impl Scene {
    /// Numbers for `count` series, of which the first is returned.
    pub(super) fn number_series(&mut self, count: usize) -> usize {
        self.series += count;
        self.series - count
    }

    /// Draws shapes that belong to `part`, if there is one.
    pub(super) fn draw_part(&mut self, part: Option<Part>, draw: impl FnOnce(&mut Scene)) {
        let start = self.shapes.len();
        draw(self);
        self.parts.extend(part.map(|part| (part, start..self.shapes.len())));
    }

    /// All shapes in order, cut where one part ends and the next begins.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Option<Part>, &[Shape])> {
        let ends = self.parts.iter().map(|(_, range)| range.end);
        let starts = self.parts.iter().map(|(_, range)| range.start).chain([self.shapes.len()]);
        let between = std::iter::once(0).chain(ends).zip(starts).map(|(from, to)| (None, &self.shapes[from..to]));
        let mut parts = self.parts.iter().map(|(part, range)| (Some(*part), &self.shapes[range.clone()]));
        between.flat_map(move |gap| [Some(gap), parts.next()]).flatten()
    }

    pub(super) fn rect(&mut self, area: Area, fill: Color) {
        self.shapes.push(Shape::Rect { area, fill });
    }

    pub(super) fn line(&mut self, points: Vec<Point>, width: f64, color: Color) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, width, color });
        }
    }

    pub(super) fn polygon(&mut self, corners: Vec<Point>, fill: Color) {
        self.shapes.push(Shape::Polygon { corners, fill });
    }

    pub(super) fn circle(&mut self, center: Point, radius: f64, fill: Color) {
        self.shapes.push(Shape::Circle { center, radius, fill });
    }

    /// A text that appears while the pointer is within `radius` of `center`.
    pub(super) fn hover(&mut self, center: Point, radius: f64, text: &str) {
        self.shapes.push(Shape::Hover { center, radius, text: text::clean(text) });
    }

    pub(super) fn image(&mut self, area: Area, pixels: Pixels) {
        self.shapes.push(Shape::Image { area, pixels });
    }

    /// A line of text, centred on the height of its capitals.
    pub(super) fn text(&mut self, text: &str, at: Point, size: f64, color: Color, anchor: Anchor) {
        self.push_text(text, at, size, color, anchor, false);
    }

    /// A line of text that reads from bottom to top.
    pub(super) fn upright_text(&mut self, text: &str, at: Point, size: f64, color: Color, anchor: Anchor) {
        self.push_text(text, at, size, color, anchor, true);
    }

    fn push_text(&mut self, text: &str, at: Point, size: f64, color: Color, anchor: Anchor, upright: bool) {
        let text = text::clean(text);
        if !text.trim().is_empty() {
            self.shapes.push(Shape::Text { text, at, size, color, anchor, upright });
        }
    }

    /// The four sides of `area`, drawn inwards.
    pub(super) fn frame(&mut self, area: Area, width: f64, color: Color) {
        let Area { x, y, w, h } = area;
        self.rect(Area::new(x, y, w, width), color);
        self.rect(Area::new(x, y + h - width, w, width), color);
        self.rect(Area::new(x, y, width, h), color);
        self.rect(Area::new(x + w - width, y, width, h), color);
    }

    /// The lines of a title, centred at `center_x`, the first one starting at `top`.
    pub(super) fn title(&mut self, lines: &[String], center_x: f64, top: f64) {
        for (row, line) in lines.iter().enumerate() {
            let y = top + TITLE_LINE * (row as f64 + 0.5);
            self.text(line, (center_x, y), TITLE_SIZE, INK, Anchor::Middle);
        }
    }
}

/// Height of one line of a title.
pub(super) const TITLE_LINE: f64 = 20.0;
/// Paper between the edge of a panel and what is in it.
pub(super) const MARGIN: f64 = 12.0;

/// A title's lines and the height they take, with the gap below them.
pub(super) fn title_lines(title: &str, max_width: f64) -> (Vec<String>, f64) {
    let lines = text::wrap(title, TITLE_SIZE, max_width, 2);
    let height = if lines.is_empty() { 0.0 } else { lines.len() as f64 * TITLE_LINE + 8.0 };
    (lines, height)
}
