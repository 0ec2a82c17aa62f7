//! Drawing into pixels.

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::Color as _;
use plotters::style::text_anchor::VPos;

use super::render::{Surface, device_size, failed, lowered, resized, scaled, text_style};
use super::scene::{Anchor, Area, Pixels, Point};
use super::style::Color;
use super::text::{ASCENT_TO_DESCENT, CAP_HEIGHT};
use crate::error::Result;

/// plotters' bitmap back-end, with lines and round shapes of our own.
pub(super) struct Bitmap<'a> {
    pub(super) backend: BitMapBackend<'a>,
    pub(super) scale: f64,
}

impl Bitmap<'_> {
    /// Fills a convex polygon row by row. plotters' own rasteriser leaves gaps in thick lines; with oversampling, rows
    /// rounded to whole pixels are smooth enough.
    fn convex(&mut self, corners: &[Point], fill: &Color) -> Result<()> {
        let corners: Vec<Point> = corners.iter().map(|&(x, y)| (x * self.scale, y * self.scale)).collect();
        let (low, high) =
            corners.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &(_, y)| (lo.min(y), hi.max(y)));
        let page = f64::from(self.backend.get_size().1);
        let (first, last) = (low.clamp(0.0, page).round() as i32, high.clamp(0.0, page).round() as i32);
        for row in first..last {
            let y = f64::from(row) + 0.5;
            let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
            for (i, &(x0, y0)) in corners.iter().enumerate() {
                let (x1, y1) = corners[(i + 1) % corners.len()];
                if (y0 <= y) != (y1 <= y) {
                    let x = x0 + (y - y0) / (y1 - y0) * (x1 - x0);
                    (left, right) = (left.min(x), right.max(x));
                }
            }
            if left < right {
                let (from, to) = ((left.round() as i32, row), (right.round() as i32, row + 1));
                self.backend.draw_rect(from, to, &fill.filled(), true).map_err(failed)?;
            }
        }
        Ok(())
    }
}

impl Surface for Bitmap<'_> {
    fn rect(&mut self, area: &Area, fill: &Color) -> Result<()> {
        let (from, to) = (scaled((area.x, area.y), self.scale), scaled((area.right(), area.bottom()), self.scale));
        self.backend.draw_rect(from, to, &fill.filled(), true).map_err(failed)
    }

    fn line(&mut self, points: &[Point], width: f64, color: &Color) -> Result<()> {
        for (i, pair) in points.windows(2).enumerate() {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = (x1 - x0).hypot(y1 - y0);
            if length > 0.0 {
                let (nx, ny) = ((y0 - y1) / length * width / 2.0, (x1 - x0) / length * width / 2.0);
                let sides = [(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)];
                self.convex(&sides, color)?;
            }
            if i > 0 {
                self.circle((x0, y0), width / 2.0, color)?;
            }
        }
        Ok(())
    }

    fn polygon(&mut self, corners: &[Point], fill: &Color) -> Result<()> {
        self.convex(corners, fill)
    }

    fn circle(&mut self, (x, y): Point, radius: f64, fill: &Color) -> Result<()> {
        const CORNERS: usize = 24;
        let corner = |i: usize| {
            let angle = i as f64 / CORNERS as f64 * std::f64::consts::TAU;
            (x + radius * angle.cos(), y + radius * angle.sin())
        };
        self.convex(&std::array::from_fn::<Point, CORNERS, _>(corner), fill)
    }

    fn text(&mut self, text: &str, at: Point, size: f64, color: &Color, anchor: Anchor, upright: bool) -> Result<()> {
        // plotters puts the baseline half of what it calls the size below the point.
        let plotters_size = size * ASCENT_TO_DESCENT;
        let style = text_style(plotters_size * self.scale, color, anchor, VPos::Top, upright);
        let at = lowered(at, (CAP_HEIGHT * size - plotters_size) / 2.0, upright);
        self.backend.draw_text(text, &style, scaled(at, self.scale)).map_err(failed)
    }

    fn image(&mut self, area: &Area, pixels: &Pixels) -> Result<()> {
        let (w, h) = device_size(area, self.scale);
        let rgb = resized(pixels, w, h);
        self.backend.blit_bitmap(scaled((area.x, area.y), self.scale), (w, h), &rgb).map_err(failed)
    }
}

/// Each block of `n` by `n` pixels becomes one, their mean.
pub(super) fn average(rgb: &[u8], width: usize, n: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(rgb.len() / (n * n));
    for rows in rgb.chunks_exact(width * 3 * n) {
        for x in (0..width).step_by(n) {
            for channel in 0..3 {
                let mut sum = 0usize;
                for y in 0..n {
                    for dx in 0..n {
                        sum += usize::from(rows[(y * width + x + dx) * 3 + channel]);
                    }
                }
                out.push(((sum + n * n / 2) / (n * n)) as u8);
            }
        }
    }
    out
}
