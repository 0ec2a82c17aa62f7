//! From a scene to a drawing, whatever the file format. plotters' back-ends take whole numbers only, so each is driven
//! at a multiple of the page's resolution.

use super::scene::{Anchor, Area, Pixels, Point, Shape};
use super::style::Color;
use crate::error::{Error, Result};

/// What a file format must be able to draw; coordinates are the scene's.
pub(super) trait Surface {
    fn rect(&mut self, area: &Area, fill: &Color) -> Result<()>;
    fn line(&mut self, points: &[Point], width: f64, color: &Color) -> Result<()>;
    fn polygon(&mut self, corners: &[Point], fill: &Color) -> Result<()>;
    fn circle(&mut self, center: Point, radius: f64, fill: &Color) -> Result<()>;
    fn text(&mut self, text: &str, at: Point, size: f64, color: &Color, anchor: Anchor, upright: bool) -> Result<()>;
    fn image(&mut self, area: &Area, pixels: &Pixels) -> Result<()>;

    /// A text for the pointer; a file format that knows none leaves it out.
    fn hover(&mut self, _center: Point, _radius: f64, _text: &str) -> Result<()> {
        Ok(())
    }
}

pub(super) fn paint(shapes: &[Shape], surface: &mut impl Surface) -> Result<()> {
    let is_image = |shape: &&Shape| matches!(shape, Shape::Image { .. });
    let images = shapes.iter().filter(is_image);
    let others = shapes.iter().filter(|shape| !is_image(shape));
    for shape in images.chain(others) {
        match shape {
            Shape::Rect { area, fill } => surface.rect(area, fill)?,
            Shape::Line { points, width, color } => surface.line(points, *width, color)?,
            Shape::Polygon { corners, fill } => surface.polygon(corners, fill)?,
            Shape::Circle { center, radius, fill } => surface.circle(*center, *radius, fill)?,
            Shape::Text { text, at, size, color, anchor, upright } => {
                surface.text(text, *at, *size, color, *anchor, *upright)?
            }
            Shape::Hover { center, radius, text } => surface.hover(*center, *radius, text)?,
            Shape::Image { area, pixels } => surface.image(area, pixels)?,
        }
    }
    Ok(())
}

pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error::Value(format!("drawing failed: {error}"))
}

pub(super) fn scaled((x, y): Point, scale: f64) -> (i32, i32) {
    ((x * scale).round() as i32, (y * scale).round() as i32)
}

/// The pixels that an area takes up.
pub(super) fn device_size(area: &Area, scale: f64) -> (u32, u32) {
    let (x0, y0) = scaled((area.x, area.y), scale);
    let (x1, y1) = scaled((area.right(), area.bottom()), scale);
    ((x1 - x0).max(1) as u32, (y1 - y0).max(1) as u32)
}
