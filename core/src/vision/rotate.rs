//! Rotation about the centre, as in Pillow.

use super::{Image, Interpolation, Mask};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// A rotation about the centre by a random angle; corners become black. torchvision's `RandomRotation`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomRotation {
    /// The smallest and largest angle, in degrees counter-clockwise.
    pub degrees: (f64, f64),
    /// The interpolation; the nearest pixel by default, as in torchvision.
    #[serde(default = "nearest")]
    pub interpolation: Interpolation,
}

impl RandomRotation {
    /// A rotation by up to `degrees` to either side, with the nearest pixels, torchvision's default.
    pub fn new(degrees: f64) -> RandomRotation {
        RandomRotation { degrees: (-degrees, degrees), interpolation: Interpolation::Nearest }
    }

    /// Rotates an image by a random angle.
    pub fn apply(&self, picture: &Image, rng: &mut Rng) -> Image {
        picture.rotate(self.draw(rng), self.interpolation)
    }

    pub(super) fn apply_mask(&self, mask: &Mask, rng: &mut Rng) -> Mask {
        mask.rotate(self.draw(rng))
    }

    fn draw(&self, rng: &mut Rng) -> f64 {
        rng.uniform(self.degrees.0, self.degrees.1)
    }
}

impl Image {
    /// The image rotated counter-clockwise about its centre, at the same size and with black corners. torchvision's and
    /// Pillow's `rotate`.
    #[must_use]
    pub fn rotate(&self, degrees: f64, interpolation: Interpolation) -> Image {
        let (w, h) = (self.width(), self.height());
        let degrees = degrees.rem_euclid(360.0);
        if degrees == 0.0 {
            return self.clone();
        }
        if degrees == 180.0 {
            return self.clone().flip_horizontal().flip_vertical();
        }
        if w == h && (degrees == 90.0 || degrees == 270.0) {
            return self.quarter_turn(degrees == 90.0);
        }
        let matrix = turn(degrees, w, h);
        match interpolation {
            Interpolation::Nearest => self.nearest(matrix),
            Interpolation::Bilinear => self.sampled(matrix, Image::between),
            Interpolation::Bicubic => self.sampled(matrix, Image::between_cubic),
        }
    }

    fn quarter_turn(&self, counter_clockwise: bool) -> Image {
        let n = self.width();
        let mut bytes = Vec::with_capacity(n * n * 3);
        for y in 0..n {
            for x in 0..n {
                bytes.extend(if counter_clockwise { self.pixel(n - 1 - y, x) } else { self.pixel(y, n - 1 - x) });
            }
        }
        Image::from_parts(n, n, bytes)
    }

    fn nearest(&self, matrix: [f64; 6]) -> Image {
        let (w, h) = (self.width(), self.height());
        let place = nearest_place(matrix);
        let mut bytes = Vec::with_capacity(w * h * 3);
        for y in 0..h {
            for x in 0..w {
                let (from_x, from_y) = place(x, y);
                bytes.extend(self.pixel(from_x, from_y));
            }
        }
        Image::from_parts(w, h, bytes)
    }

    fn sampled(&self, [a, b, c, d, e, f]: [f64; 6], between: fn(&Image, f64, f64) -> [u8; 3]) -> Image {
        let (w, h) = (self.width(), self.height());
        let mut bytes = Vec::with_capacity(w * h * 3);
        for y in 0..h {
            for x in 0..w {
                let (mx, my) = (x as f64 + 0.5, y as f64 + 0.5);
                let (from_x, from_y) = (a * mx + b * my + c, d * mx + e * my + f);
                bytes.extend(between(self, from_x, from_y));
            }
        }
        Image::from_parts(w, h, bytes)
    }

    /// The value at a point, pixels having their middle at halves; black outside, and cut to whole numbers, as in
    /// Pillow.
    fn between(&self, x: f64, y: f64) -> [u8; 3] {
        let (w, h) = (self.width(), self.height());
        if !(x >= 0.0 && x < w as f64 && y >= 0.0 && y < h as f64) {
            return [0; 3];
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (dx, dy) = (x - left, y - top);
        let column = |x: f64| x.clamp(0.0, (w - 1) as f64) as usize;
        let row = |y: f64| y.clamp(0.0, (h - 1) as f64) as usize;
        let (x0, x1, y0, y1) = (column(left), column(left + 1.0), row(top), row(top + 1.0));
        let mix = |a: f64, b: f64, d: f64| a + (b - a) * d;
        let corners = [self.pixel(x0, y0), self.pixel(x1, y0), self.pixel(x0, y1), self.pixel(x1, y1)];
        std::array::from_fn(|channel| {
            let [a, b, c, d] = corners.map(|pixel| f64::from(pixel[channel]));
            mix(mix(a, b, dx), mix(c, d, dx), dy) as u8
        })
    }

    /// [`Image::between`] by a cubic; rows beyond the border repeat the last one that there is.
    fn between_cubic(&self, x: f64, y: f64) -> [u8; 3] {
        let (w, h) = (self.width() as f64, self.height() as f64);
        if !(x >= 0.0 && x < w && y >= 0.0 && y < h) {
            return [0; 3];
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (dx, dy) = (x - left, y - top);
        let columns = [-1.0, 0.0, 1.0, 2.0].map(|i| (left + i).clamp(0.0, w - 1.0) as usize);
        let rows = [-1.0, 0.0, 1.0, 2.0].map(|i| (top + i).clamp(0.0, h - 1.0) as usize);
        std::array::from_fn(|channel| {
            let row = |y: usize| cubic(columns.map(|x| f64::from(self.pixel(x, y)[channel])), dx);
            cubic(rows.map(row), dy).clamp(0.0, 255.0) as u8
        })
    }
}

impl Mask {
    /// The mask rotated counter-clockwise about its centre, at the same size, by the nearest pixels, as
    /// [`Image::rotate`] rotates an image. The corners get the class of [`Mask::outside`].
    #[must_use]
    pub fn rotate(&self, degrees: f64) -> Mask {
        let (w, h) = (self.width(), self.height());
        let degrees = degrees.rem_euclid(360.0);
        if degrees == 0.0 {
            return self.clone();
        }
        if degrees == 180.0 {
            return self.gather(w, h, |x, y| Some((w - 1 - x, h - 1 - y)));
        }
        if w == h && (degrees == 90.0 || degrees == 270.0) {
            let is_left = degrees == 90.0;
            return self.gather(w, h, |x, y| Some(if is_left { (w - 1 - y, x) } else { (y, w - 1 - x) }));
        }
        let place = nearest_place(turn(degrees, w, h));
        self.gather(w, h, |x, y| Some(place(x, y)))
    }
}

/// Where the middle of a pixel of the result comes from: (a x + b y + c, d x + e y + f).
fn turn(degrees: f64, w: usize, h: usize) -> [f64; 6] {
    let angle = -degrees.to_radians();
    let (cos, sin) = (rounded(libm::cos(angle)), rounded(libm::sin(angle)));
    let (cx, cy) = (w as f64 / 2.0, h as f64 / 2.0);
    [cos, sin, cx - cos * cx - sin * cy, -sin, cos, cy + sin * cx - cos * cy]
}

/// The pixel that a pixel of the result comes from. Pillow's `affine_fixed`: coordinates in units of 1/65536, so that
/// its rounding is ours. A negative coordinate is a large one without sign: outside.
fn nearest_place([a, b, c, d, e, f]: [f64; 6]) -> impl Fn(usize, usize) -> (usize, usize) {
    let fixed = |v: f64| (v * 65536.0 + 0.5).floor() as i64;
    let (first_x, first_y) = (fixed(c + a * 0.5 + b * 0.5), fixed(f + d * 0.5 + e * 0.5));
    let (a, b, d, e) = (fixed(a), fixed(b), fixed(d), fixed(e));
    move |x: usize, y: usize| {
        let (x, y) = (x as i64, y as i64);
        (((first_x + a * x + b * y) >> 16) as usize, ((first_y + d * x + e * y) >> 16) as usize)
    }
}

/// Pillow's cubic through four values, at `d` between the second and the third.
fn cubic([v1, v2, v3, v4]: [f64; 4], d: f64) -> f64 {
    let (p2, p3, p4) = (v3 - v1, 2.0 * (v1 - v2) + v3 - v4, v2 - v1 - v3 + v4);
    v2 + d * (p2 + d * (p3 + d * p4))
}

/// torchvision's default for rotations.
fn nearest() -> Interpolation {
    Interpolation::Nearest
}

/// To 15 decimals, as Pillow rounds sines and cosines.
fn rounded(v: f64) -> f64 {
    (v * 1e15).round_ties_even() / 1e15
}
