//! Drawing into pixels.

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::Color as _;

use super::png::{PNG_SCALE, encode_png, resized};
use super::scene::{Anchor, Area, Pixels, Point, Scene};
use super::style::Color;
use super::surface::{Surface, device_size, failed, paint, scaled};
use super::text::{self, CAP_HEIGHT};
use crate::error::{Error, Result};

/// The bitmap is drawn this much larger and averaged, which smooths every edge.
const OVERSAMPLING: u32 = 2;
/// Bytes of the largest bitmap that is drawn.
const MAX_BYTES: u64 = 1 << 30;

/// The scene as the bytes of a PNG file, at [`PNG_SCALE`] pixels to one CSS pixel.
pub(super) fn png(scene: &Scene, (width, height): (u32, u32)) -> Result<Vec<u8>> {
    let times = PNG_SCALE * OVERSAMPLING;
    let (w, h) = (u64::from(width) * u64::from(times), u64::from(height) * u64::from(times));
    if w.saturating_mul(h).saturating_mul(3) > MAX_BYTES {
        return Err(Error::shape(
            format!("a figure of {width} by {height} is too large to draw: use fewer panels"),
            &[height as usize, width as usize],
        ));
    }
    let mut large = vec![255u8; (w * h * 3) as usize];
    {
        let backend = BitMapBackend::with_buffer(&mut large, (w as u32, h as u32));
        let mut surface = Bitmap { backend, scale: f64::from(times) };
        paint(&scene.shapes, &mut surface)?;
        surface.backend.present().map_err(failed)?;
    }
    let (out_w, out_h) = (width * PNG_SCALE, height * PNG_SCALE);
    encode_png(&average(&large, w as usize, OVERSAMPLING as usize), out_w, out_h)
}

/// plotters' bitmap back-end, with lines, round shapes and text of our own.
struct Bitmap<'a> {
    backend: BitMapBackend<'a>,
    scale: f64,
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
        let (x, y) = scaled(at, self.scale);
        let (width, height) = self.backend.get_size();
        let size = size * self.scale;
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        };
        let start = (-before * text::width(text, size), CAP_HEIGHT / 2.0 * size);
        text::draw(text, size, start, |right, down, covered| {
            let (x, y) = if upright { (x + down, y - 1 - right) } else { (x + right, y + down) };
            if x < 0 || y < 0 || x >= width as i32 || y >= height as i32 {
                return Ok(());
            }
            self.backend.draw_pixel((x, y), color.mix(covered).to_backend_color()).map_err(failed)
        })
    }

    fn image(&mut self, area: &Area, pixels: &Pixels) -> Result<()> {
        let (w, h) = device_size(area, self.scale);
        let rgb = resized(pixels, w, h);
        self.backend.blit_bitmap(scaled((area.x, area.y), self.scale), (w, h), &rgb).map_err(failed)
    }
}

/// Each block of `n` by `n` pixels becomes one, their mean.
fn average(rgb: &[u8], width: usize, n: usize) -> Vec<u8> {
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
