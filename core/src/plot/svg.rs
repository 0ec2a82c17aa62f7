//! Drawing into an SVG document.

use std::fmt::Write as _;

use base64::Engine as _;
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle, FontTransform, TextStyle};

use super::png::{PNG_SCALE, encode_png, resized};
use super::scene::{Anchor, Area, Part, Pixels, Point, Scene};
use super::style::Color;
use super::surface::{Surface, device_size, failed, paint, scaled};
use super::text::{CAP_HEIGHT, FAMILY};
use crate::error::Result;

/// Steps of the SVG's coordinates in one CSS pixel.
const SVG_SCALE: f64 = 10.0;

/// The scene as an SVG document of `width` by `height` CSS pixels.
pub(super) fn svg(scene: &Scene, (width, height): (u32, u32)) -> Result<String> {
    let (mut body, mut images, mut hovers) = (String::new(), String::new(), String::new());
    let size = (width.saturating_mul(SVG_SCALE as u32), height.saturating_mul(SVG_SCALE as u32));
    for (part, shapes) in scene.runs() {
        let (mut drawn, mut pointed) = (String::new(), String::new());
        let backend = SVGBackend::with_string(&mut drawn, size);
        let mut surface = Vector { backend, images: &mut images, hovers: &mut pointed };
        paint(shapes, &mut surface)?;
        surface.backend.present().map_err(failed)?;
        drop(surface);
        // plotters' first line is the opening tag, and its last the closing one.
        let inside = drawn.split_once('\n').map_or("", |(_, inside)| inside);
        grouped(&mut body, part, inside.trim_end().trim_end_matches("</svg>"));
        grouped(&mut hovers, part, &pointed);
    }
    // Our opening tag states the page's true size, lays the paper, and puts the images, which plotters cannot write
    // here, at the bottom, and what the pointer finds at the top.
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         stroke-linejoin=\"round\" font-family=\"{FAMILY}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>\n{images}{body}{hovers}</svg>\n",
        u64::from(width) * SVG_SCALE as u64,
        u64::from(height) * SVG_SCALE as u64,
    ))
}

/// Adds shapes to a document, in a group that tells a script on the page which series they are.
fn grouped(to: &mut String, part: Option<Part>, shapes: &str) {
    if shapes.trim().is_empty() {
        return;
    }
    let group = |name: &str, number| format!("<g data-{name}=\"{number}\">\n{shapes}</g>\n");
    match part {
        None => to.push_str(shapes),
        Some(Part::Series(number)) => to.push_str(&group("series", number)),
        Some(Part::Key(number)) => to.push_str(&group("key", number)),
    }
}

/// plotters' SVG back-end, and images, which it cannot write here.
struct Vector<'a> {
    backend: SVGBackend<'a>,
    images: &'a mut String,
    hovers: &'a mut String,
}

/// Text as it stands between the tags of an SVG, and in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
        let turn = if upright { FontTransform::Rotate270 } else { FontTransform::None };
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        // plotters divides the size by 1.24 and puts the baseline half an ex (0.547 em in DejaVu) below the point.
        let font = FontDesc::new(FontFamily::Name(FAMILY), size * SVG_SCALE * 1.24, FontStyle::Normal).transform(turn);
        let style = TextStyle::from(font).color(color).pos(Pos::new(h_pos, VPos::Center));
        let down = (CAP_HEIGHT - 0.547) / 2.0 * size;
        let at = if upright { (at.0 + down, at.1) } else { (at.0, at.1 + down) };
        self.backend.draw_text(text, &style, scaled(at, SVG_SCALE)).map_err(failed)
    }

    fn hover(&mut self, center: Point, radius: f64, text: &str) -> Result<()> {
        let ((x, y), radius) = (scaled(center, SVG_SCALE), (radius * SVG_SCALE).round());
        let text = escaped(text);
        writeln!(
            self.hovers,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"transparent\"><title>{text}</title></circle>"
        )
        .map_err(failed)
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
