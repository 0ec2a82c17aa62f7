//! From a scene to a file: plotters' SVG and bitmap back-ends, each driven at a multiple of the page's resolution,
//! because both take whole numbers only.

use std::fmt::Write as _;

use base64::Engine as _;
use image::codecs::png::{CompressionType, FilterType as RowFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontTransform, TextStyle};

use super::bitmap::{Bitmap, average};
use super::scene::{Anchor, Area, Pixels, Point, Scene, Shape};
use super::style::Color;
use super::text::{self, CAP_HEIGHT, FAMILY};
use crate::error::{Error, Result};

/// Steps of the SVG's coordinates in one CSS pixel.
const SVG_SCALE: f64 = 10.0;
/// Pixels of the PNG in one CSS pixel.
const PNG_SCALE: u32 = 2;
/// The bitmap is drawn this much larger and averaged, which smooths every edge.
const OVERSAMPLING: u32 = 2;
/// Bytes of the largest bitmap that is drawn.
const MAX_BYTES: u64 = 1 << 30;

/// The scene as an SVG document of `width` by `height` CSS pixels.
pub(super) fn svg(scene: &Scene, (width, height): (u32, u32)) -> Result<String> {
    let mut drawn = String::new();
    let mut images = String::new();
    {
        let size = (width.saturating_mul(SVG_SCALE as u32), height.saturating_mul(SVG_SCALE as u32));
        let mut surface = Vector { backend: SVGBackend::with_string(&mut drawn, size), images: &mut images };
        paint(scene, &mut surface)?;
        surface.backend.present().map_err(failed)?;
    }
    // plotters' first line is the opening tag. Ours states the page's true size, lays the paper, and puts the images,
    // which plotters cannot write here, at the bottom.
    let body = drawn.split_once('\n').map_or("", |(_, body)| body);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         stroke-linejoin=\"round\" font-family=\"{FAMILY}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>\n{images}{body}",
        u64::from(width) * SVG_SCALE as u64,
        u64::from(height) * SVG_SCALE as u64,
    ))
}

/// The scene as the bytes of a PNG file, at [`PNG_SCALE`] pixels to one CSS pixel.
pub(super) fn png(scene: &Scene, (width, height): (u32, u32)) -> Result<Vec<u8>> {
    let times = PNG_SCALE * OVERSAMPLING;
    let (w, h) = (u64::from(width) * u64::from(times), u64::from(height) * u64::from(times));
    if w.saturating_mul(h).saturating_mul(3) > MAX_BYTES {
        return Err(Error::Value(format!("a figure of {width} by {height} is too large to draw: use fewer panels")));
    }
    let mut large = vec![255u8; (w * h * 3) as usize];
    {
        let backend = BitMapBackend::with_buffer(&mut large, (w as u32, h as u32));
        let mut surface = Bitmap { backend, scale: f64::from(times) };
        paint(scene, &mut surface)?;
        surface.backend.present().map_err(failed)?;
    }
    let (out_w, out_h) = (width * PNG_SCALE, height * PNG_SCALE);
    encode_png(&average(&large, w as usize, OVERSAMPLING as usize), out_w, out_h)
}

/// The shorter of two encodings: row filters halve a photo and double a diagram.
fn encode_png(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let encoded = |filter| {
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, filter);
        let written = encoder.write_image(rgb, width, height, ExtendedColorType::Rgb8);
        written.map(|()| bytes).map_err(|error| Error::Value(format!("cannot encode a PNG: {error}")))
    };
    let (plain, filtered) = (encoded(RowFilter::NoFilter)?, encoded(RowFilter::Adaptive)?);
    Ok(if plain.len() <= filtered.len() { plain } else { filtered })
}

/// What a file format must be able to draw; coordinates are the scene's.
pub(super) trait Surface {
    fn rect(&mut self, area: &Area, fill: &Color) -> Result<()>;
    fn line(&mut self, points: &[Point], width: f64, color: &Color) -> Result<()>;
    fn polygon(&mut self, corners: &[Point], fill: &Color) -> Result<()>;
    fn circle(&mut self, center: Point, radius: f64, fill: &Color) -> Result<()>;
    fn text(&mut self, text: &str, at: Point, size: f64, color: &Color, anchor: Anchor, upright: bool) -> Result<()>;
    fn image(&mut self, area: &Area, pixels: &Pixels) -> Result<()>;
}

fn paint(scene: &Scene, surface: &mut impl Surface) -> Result<()> {
    let is_image = |shape: &&Shape| matches!(shape, Shape::Image { .. });
    let images = scene.shapes.iter().filter(is_image);
    let others = scene.shapes.iter().filter(|shape| !is_image(shape));
    for shape in images.chain(others) {
        match shape {
            Shape::Rect { area, fill } => surface.rect(area, fill)?,
            Shape::Line { points, width, color } => surface.line(points, *width, color)?,
            Shape::Polygon { corners, fill } => surface.polygon(corners, fill)?,
            Shape::Circle { center, radius, fill } => surface.circle(*center, *radius, fill)?,
            Shape::Text { text, at, size, color, anchor, upright } => {
                surface.text(text, *at, *size, color, *anchor, *upright)?
            }
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

pub(super) fn text_style<'a>(
    font_size: f64,
    color: &'a Color,
    anchor: Anchor,
    v_pos: VPos,
    upright: bool,
) -> TextStyle<'a> {
    let turn = if upright { FontTransform::Rotate270 } else { FontTransform::None };
    let h_pos = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    TextStyle::from(text::font(font_size).transform(turn)).color(color).pos(Pos::new(h_pos, v_pos))
}

/// `at`, moved by `down` in the direction in which the text's own lines would follow each other.
pub(super) fn lowered((x, y): Point, down: f64, upright: bool) -> Point {
    if upright { (x + down, y) } else { (x, y + down) }
}

struct Vector<'a> {
    backend: SVGBackend<'a>,
    images: &'a mut String,
}

impl Surface for Vector<'_> {
    fn rect(&mut self, area: &Area, fill: &Color) -> Result<()> {
        let (from, to) = (scaled((area.x, area.y), SVG_SCALE), scaled((area.right(), area.bottom()), SVG_SCALE));
        self.backend.draw_rect(from, to, &fill.filled(), true).map_err(failed)
    }

    fn line(&mut self, points: &[Point], width: f64, color: &Color) -> Result<()> {
        let style = color.stroke_width((width * SVG_SCALE).round() as u32);
        self.backend.draw_path(points.iter().map(|&p| scaled(p, SVG_SCALE)), &style).map_err(failed)
    }

    fn polygon(&mut self, corners: &[Point], fill: &Color) -> Result<()> {
        self.backend.fill_polygon(corners.iter().map(|&p| scaled(p, SVG_SCALE)), &fill.filled()).map_err(failed)
    }

    fn circle(&mut self, center: Point, radius: f64, fill: &Color) -> Result<()> {
        let radius = (radius * SVG_SCALE).round() as u32;
        self.backend.draw_circle(scaled(center, SVG_SCALE), radius, &fill.filled(), true).map_err(failed)
    }

    fn text(&mut self, text: &str, at: Point, size: f64, color: &Color, anchor: Anchor, upright: bool) -> Result<()> {
        // plotters divides the size by 1.24 and puts the baseline half an ex (0.547 em in DejaVu) below the point.
        let style = text_style(size * SVG_SCALE * 1.24, color, anchor, VPos::Center, upright);
        let at = lowered(at, (CAP_HEIGHT - 0.547) / 2.0 * size, upright);
        self.backend.draw_text(text, &style, scaled(at, SVG_SCALE)).map_err(failed)
    }

    fn image(&mut self, area: &Area, pixels: &Pixels) -> Result<()> {
        // Magnified here too, for viewers that do not know `pixelated`.
        let (w, h) = device_size(area, f64::from(PNG_SCALE));
        let png = encode_png(&resized(pixels, w, h), w, h)?;
        let (x, y) = scaled((area.x, area.y), SVG_SCALE);
        let (right, bottom) = scaled((area.right(), area.bottom()), SVG_SCALE);
        let data = base64::engine::general_purpose::STANDARD.encode(png);
        writeln!(
            self.images,
            "<image x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/>",
            right - x,
            bottom - y
        )
        .map_err(failed)
    }
}

pub(super) fn device_size(area: &Area, scale: f64) -> (u32, u32) {
    let (x0, y0) = scaled((area.x, area.y), scale);
    let (x1, y1) = scaled((area.right(), area.bottom()), scale);
    ((x1 - x0).max(1) as u32, (y1 - y0).max(1) as u32)
}

/// The image in another size: pixels repeated where it grows, averaged where it shrinks.
pub(super) fn resized(pixels: &Pixels, width: u32, height: u32) -> Vec<u8> {
    let shrinks = width < pixels.width || height < pixels.height;
    let Some(image) = RgbImage::from_raw(pixels.width, pixels.height, pixels.rgb.clone()) else {
        return vec![255; width as usize * height as usize * 3];
    };
    imageops::resize(&image, width, height, if shrinks { FilterType::Triangle } else { FilterType::Nearest }).into_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::style::{BLUE, INK};

    fn pixel(png: &[u8], x: u32, y: u32) -> [u8; 3] {
        image::load_from_memory(png).unwrap().to_rgb8().get_pixel(x, y).0
    }

    #[test]
    fn shapes_land_where_the_scene_puts_them() {
        let mut scene = Scene::default();
        scene.rect(Area::new(10.0, 10.0, 5.0, 5.0), BLUE);
        scene.line(vec![(0.0, 30.0), (40.0, 30.0), (40.0, 60.0)], 2.0, INK);
        scene.circle((70.0, 70.0), 4.0, BLUE);
        let pixels = Pixels { width: 2, height: 1, rgb: vec![255, 0, 0, 0, 255, 0] };
        scene.image(Area::new(50.0, 10.0, 20.0, 10.0), pixels);
        let png = png(&scene, (100, 80)).unwrap();
        assert_eq!(pixel(&png, 20, 20), [0, 114, 178]);
        assert_eq!(pixel(&png, 29, 29), [0, 114, 178]);
        assert_eq!(pixel(&png, 30, 30), [255, 255, 255]);
        assert_eq!(pixel(&png, 40, 60), [34, 34, 34]);
        assert_eq!(pixel(&png, 80, 100), [34, 34, 34]);
        assert_eq!(pixel(&png, 140, 140), [0, 114, 178]);
        assert_eq!(pixel(&png, 119, 30), [255, 0, 0]);
        assert_eq!(pixel(&png, 120, 30), [0, 255, 0]);
    }

    #[test]
    fn a_page_too_large_is_refused() {
        assert!(png(&Scene::default(), (u32::MAX, u32::MAX)).unwrap_err().to_string().contains("too large"));
    }

    #[test]
    fn capitals_are_centred_on_their_point() {
        let mut scene = Scene::default();
        scene.text("H", (20.0, 20.0), 20.0, INK, Anchor::Middle);
        let image = image::load_from_memory(&png(&scene, (40, 40)).unwrap()).unwrap().to_luma8();
        let rows: Vec<u32> = (0..80).filter(|&y| (0..80).any(|x| image.get_pixel(x, y).0[0] < 100)).collect();
        let (top, bottom) = (rows[0], rows[rows.len() - 1]);
        assert!((top + bottom).abs_diff(79) <= 2, "{top} {bottom}");
        assert!((bottom - top + 1).abs_diff(29) <= 1, "{top} {bottom}");
    }
}
