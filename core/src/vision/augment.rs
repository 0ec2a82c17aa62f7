//! fast.ai's data augmentation: flips, rotation, zoom, perspective and lighting, in one resampling.

use super::lighting::light;
use super::pad::PadMode;
use super::sample::{Coordinates, Source, sample, sample_mask};
use super::{ChannelPlanes, Item, Mask, Transform};
use crate::error::{Error, Result};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// fast.ai's default augmentation: [`AugTransforms::default`], whose fields can be changed:
/// `AugTransforms { max_rotate: 0.0, ..aug_transforms() }`.
pub fn aug_transforms() -> AugTransforms {
    AugTransforms::default()
}

/// Random changes of an image that do not change its class. fast.ai's `aug_transforms`, with its names, ranges and
/// order.
///
/// Flip, perspective, rotation and zoom are multiplied into one change of coordinates, so that the image is resampled
/// once (bilinear, `align_corners`); then brightness and contrast change.
///
/// # Shapes
/// `[3, H, W]`, values between 0 and 1 → the same, or `[3, height, width]` with a `size`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AugTransforms {
    /// Whether half of the images are mirrored, left and right; they are by default.
    pub do_flip: bool,
    /// Whether flips are one of the eight flips and quarter turns instead, as for satellite images; not by default.
    pub flip_vert: bool,
    /// The largest rotation, in degrees to either side; 10 by default.
    pub max_rotate: f64,
    /// The smallest zoom; 1 by default.
    pub min_zoom: f64,
    /// The largest zoom; 1.1 by default.
    pub max_zoom: f64,
    /// The largest change of brightness and contrast, from 0 to below 1; 0.2 by default.
    pub max_lighting: f64,
    /// The largest shift of the corners in perspective, where an image is 2 wide; 0.2 by default.
    pub max_warp: f64,
    /// The probability of each of rotation, zoom and perspective; 0.75 by default.
    pub p_affine: f64,
    /// The probability of each of brightness and contrast; 0.75 by default.
    pub p_lighting: f64,
    /// (width, height) of the result, in validation too; by default the size stays.
    pub size: Option<(usize, usize)>,
    /// The values beyond the border; reflections by default.
    pub pad_mode: PadMode,
    /// The smallest fraction of the area that a random square crop keeps, before it is resized to `size`: the second
    /// step of fast.ai's "presizing". 1 by default, which crops nothing.
    pub min_scale: f64,
}

impl Default for AugTransforms {
    fn default() -> AugTransforms {
        AugTransforms {
            do_flip: true,
            flip_vert: false,
            max_rotate: 10.0,
            min_zoom: 1.0,
            max_zoom: 1.1,
            max_lighting: 0.2,
            max_warp: 0.2,
            p_affine: 0.75,
            p_lighting: 0.75,
            size: None,
            pad_mode: PadMode::Reflection,
            min_scale: 1.0,
        }
    }
}

/// The random parameters of [`AugTransforms`] for one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AugDraw {
    /// The number of one of the eight flips and quarter turns: 0 is none, 1 a horizontal flip.
    pub dihedral: usize,
    /// The shift of the corners in perspective, along x and y.
    pub warp: (f64, f64),
    /// The rotation, in degrees.
    pub degrees: f64,
    /// The zoom; 1 changes nothing.
    pub zoom: f64,
    /// The position of the zoomed part along columns and rows, from 0 to 1.
    pub centre: (f64, f64),
    /// The brightness; 0.5 changes nothing.
    pub brightness: f64,
    /// The contrast; 1 changes nothing.
    pub contrast: f64,
    /// The crop that is resized last: left, top, width, height, in pixels.
    pub part: Option<[usize; 4]>,
}

impl AugDraw {
    /// Nothing changes.
    pub const NEUTRAL: AugDraw = AugDraw {
        dihedral: 0,
        warp: (0.0, 0.0),
        degrees: 0.0,
        zoom: 1.0,
        centre: (0.5, 0.5),
        brightness: 0.5,
        contrast: 1.0,
        part: None,
    };

    /// The change of coordinates for a picture of this size.
    fn coordinates(&self, width: usize, height: usize) -> Coordinates {
        // fast.ai's `dihedral_mat`.
        const SIGNS: [(f64, f64); 8] =
            [(1., 1.), (-1., 1.), (1., -1.), (-1., 1.), (-1., -1.), (1., -1.), (1., 1.), (-1., -1.)];
        const STRAIGHT: [f64; 8] = [1., 1., 1., 0., 1., 0., 0., 0.];
        let (sx, sy) = SIGNS[self.dihedral % 8];
        let straight = STRAIGHT[self.dihedral % 8];
        let turned = 1.0 - straight;
        let flip = [[sx * straight, sx * turned, 0.0], [sy * turned, sy * straight, 0.0]];
        let (sin, cos) = (libm::sin(self.degrees.to_radians()), libm::cos(self.degrees.to_radians()));
        let rotate = [[cos, sin, 0.0], [-sin, cos, 0.0]];
        let s = 1.0 / self.zoom;
        let offset = |share: f64| (1.0 - s) * (2.0 * share - 1.0);
        let zoom = [[s, 0.0, offset(self.centre.0)], [0.0, s, offset(self.centre.1)]];
        let mut matrix = product(product(flip, rotate), zoom);
        matrix[0][1] *= height as f64 / width as f64;
        matrix[1][0] *= width as f64 / height as f64;
        let warp = (self.warp != (0.0, 0.0)).then(|| perspective(self.warp)).flatten();
        Coordinates { affine: matrix.map(|row| row.map(|v| v as f32)), warp }
    }
}

impl AugTransforms {
    /// Multiplies the ranges of rotation, lighting and perspective. fast.ai's `mult`.
    #[must_use]
    pub fn mult(self, mult: f64) -> AugTransforms {
        AugTransforms {
            max_rotate: self.max_rotate * mult,
            max_lighting: self.max_lighting * mult,
            max_warp: self.max_warp * mult,
            ..self
        }
    }

    /// Sets the size of the result, `side` by `side` pixels.
    #[must_use]
    pub fn size(self, side: usize) -> AugTransforms {
        AugTransforms { size: Some((side, side)), ..self }
    }

    /// Sets the smallest fraction of the area that a crop keeps: the second step of presizing.
    #[must_use]
    pub fn min_scale(self, min_scale: f64) -> AugTransforms {
        AugTransforms { min_scale, ..self }
    }

    /// Draws the random parameters for an image of this size.
    pub fn draw(&self, width: usize, height: usize, rng: &mut Rng) -> AugDraw {
        let mut draw = AugDraw::NEUTRAL;
        if self.do_flip && rng.uniform(0.0, 1.0) < 0.5 {
            draw.dihedral = if self.flip_vert { rng.below(8) } else { 1 };
        }
        // Every number is drawn, wanted or not, so that one choice does not shift the others.
        let mut maybe = |p: f64, low: f64, high: f64, neutral: f64| {
            let value = rng.uniform(low, high);
            if rng.uniform(0.0, 1.0) < p { value } else { neutral }
        };
        draw.warp.0 = maybe(self.p_affine, -self.max_warp, self.max_warp, 0.0);
        draw.warp.1 = maybe(self.p_affine, -self.max_warp, self.max_warp, 0.0);
        draw.degrees = maybe(self.p_affine, -self.max_rotate, self.max_rotate, 0.0);
        draw.zoom = maybe(self.p_affine, self.min_zoom, self.max_zoom, 1.0);
        draw.centre = (maybe(1.0, 0.0, 1.0, 0.5), maybe(1.0, 0.0, 1.0, 0.5));
        let (low, high) = (0.5 * (1.0 - self.max_lighting), 0.5 * (1.0 + self.max_lighting));
        draw.brightness = maybe(self.p_lighting, low, high, 0.5);
        let log = libm::log(1.0 - self.max_lighting);
        draw.contrast = libm::exp(maybe(self.p_lighting, log, -log, 0.0));
        draw.part = (self.min_scale != 1.0).then(|| square_part(self.min_scale, width, height, rng));
        draw
    }

    /// Draws random parameters and applies them.
    ///
    /// # Errors
    /// [`Error::Config`] when a setting is out of its range.
    pub fn apply(&self, item: &Item, rng: &mut Rng) -> Result<ChannelPlanes> {
        self.check()?;
        let (width, height) = item.size();
        self.apply_draw(item, &self.draw(width, height, rng))
    }

    /// Applies these random parameters.
    ///
    /// # Errors
    /// When the crop does not lie within the image.
    pub fn apply_draw(&self, item: &Item, draw: &AugDraw) -> Result<ChannelPlanes> {
        let mut planes = match item {
            Item::Image(picture) => self.resampled(picture, draw),
            Item::ChannelPlanes(planes) => self.resampled(planes, draw),
        }?;
        if draw.brightness != 0.5 || draw.contrast != 1.0 {
            light(planes.values_mut(), draw.brightness as f32, draw.contrast as f32);
        }
        Ok(planes)
    }

    /// Applies the random parameters of an image to its mask, by the nearest pixels and without lighting.
    ///
    /// # Errors
    /// When the crop does not lie within the mask.
    pub fn apply_draw_to_mask(&self, mask: &Mask, draw: &AugDraw) -> Result<Mask> {
        let (w, h) = (mask.width(), mask.height());
        let coordinates = draw.coordinates(w, h);
        match (draw.part, self.size) {
            (Some([left, top, part_w, part_h]), Some((width, height))) => {
                let part = sample_mask(mask, &coordinates, w, h, self.pad_mode).crop(left, top, part_w, part_h)?;
                Ok(sample_mask(&part, &Coordinates::IDENTITY, width, height, PadMode::Reflection))
            }
            (_, size) => {
                let (width, height) = size.unwrap_or((w, h));
                Ok(sample_mask(mask, &coordinates, width, height, self.pad_mode))
            }
        }
    }

    pub(super) fn apply_mask(&self, mask: &Mask, rng: &mut Rng) -> Result<Mask> {
        self.check()?;
        self.apply_draw_to_mask(mask, &self.draw(mask.width(), mask.height(), rng))
    }

    fn resampled(&self, source: &impl Source, draw: &AugDraw) -> Result<ChannelPlanes> {
        let (w, h) = source.size();
        let coordinates = draw.coordinates(w, h);
        match (draw.part, self.size) {
            (Some(part), Some((width, height))) => {
                let whole = sample(source, &coordinates, w, h, self.pad_mode);
                Ok(sample(&whole.part(part)?, &Coordinates::IDENTITY, width, height, PadMode::Reflection))
            }
            (_, size) => {
                let (width, height) = size.unwrap_or((w, h));
                Ok(sample(source, &coordinates, width, height, self.pad_mode))
            }
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let wrong = |setting, what: &str| Err(Error::config(setting, format!("aug_transforms: {what}, in {self:?}")));
        if !(0.0..1.0).contains(&self.max_lighting) {
            return wrong("max_lighting", "max_lighting must be at least 0 and below 1");
        }
        if !(self.min_zoom > 0.0 && self.min_zoom <= self.max_zoom && self.max_zoom.is_finite()) {
            return wrong("min_zoom", "the zoom must go from a positive number to one that is not smaller");
        }
        if !(0.0..0.5).contains(&self.max_warp) || !self.max_rotate.is_finite() {
            return wrong("max_warp", "max_warp must be at least 0 and below 0.5, and max_rotate a number");
        }
        if self.size.is_some_and(|(w, h)| w == 0 || h == 0) {
            return wrong("size", "the size must not be 0");
        }
        if self.min_scale != 1.0 && (self.size.is_none() || !(self.min_scale > 0.0 && self.min_scale < 1.0)) {
            return wrong("min_scale", "a min_scale must be above 0 and at most 1, and needs a size to resize to");
        }
        Ok(())
    }

    /// The transforms for validation: none, unless there is a `size`, to which the image is then resampled (with a
    /// `min_scale`, its largest square part).
    pub fn valid(&self) -> Vec<Transform> {
        let square = self.min_scale != 1.0;
        self.size.map(|(width, height)| ResampleTo { width, height, square }.into()).into_iter().collect()
    }

    pub(super) fn describe(&self) -> String {
        let mut parts = Vec::new();
        if self.do_flip {
            parts.push(if self.flip_vert { "flips and quarter turns".to_string() } else { "flip".into() });
        }
        let ranges = [("warp", self.max_warp), ("rotation", self.max_rotate), ("light", self.max_lighting)];
        parts.extend(ranges.iter().filter(|(_, most)| *most != 0.0).map(|(name, most)| format!("{name} to {most}")));
        parts.push(format!("zoom {} to {}", self.min_zoom, self.max_zoom));
        if let Some((w, h)) = self.size {
            parts.push(format!("resampled to {w} x {h}"));
        }
        format!("augment: {}", parts.join(", "))
    }
}

/// The resampling of [`AugTransforms`] with a size in validation, without randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResampleTo {
    /// Columns of the result.
    pub width: usize,
    /// Rows of the result.
    pub height: usize,
    /// Whether only the largest square in the centre is used.
    pub square: bool,
}

impl ResampleTo {
    /// Resamples an item.
    ///
    /// # Errors
    /// When a side of the wanted size is 0.
    pub fn apply(&self, item: &Item) -> Result<ChannelPlanes> {
        let (w, h) = item.size();
        let tfms = self.tfms()?;
        let Some([left, top, side]) = self.square_part(w, h) else {
            return tfms.apply_draw(item, &AugDraw::NEUTRAL);
        };
        let part = match item {
            Item::Image(picture) => Item::Image(picture.crop(left, top, side, side)?),
            Item::ChannelPlanes(planes) => Item::ChannelPlanes(planes.part([left, top, side, side])?),
        };
        tfms.apply_draw(&part, &AugDraw::NEUTRAL)
    }

    pub(super) fn apply_mask(&self, mask: &Mask) -> Result<Mask> {
        let tfms = self.tfms()?;
        match self.square_part(mask.width(), mask.height()) {
            Some([left, top, side]) => tfms.apply_draw_to_mask(&mask.crop(left, top, side, side)?, &AugDraw::NEUTRAL),
            None => tfms.apply_draw_to_mask(mask, &AugDraw::NEUTRAL),
        }
    }

    fn tfms(&self) -> Result<AugTransforms> {
        let tfms = AugTransforms { size: Some((self.width, self.height)), ..AugTransforms::default() };
        tfms.check()?;
        Ok(tfms)
    }

    /// Left, top and side of the part that is used, where it is not all.
    fn square_part(&self, w: usize, h: usize) -> Option<[usize; 3]> {
        let side = w.min(h);
        (self.square && w != h).then_some([(w - side) / 2, (h - side) / 2, side])
    }
}

/// fast.ai's `RandomResizedCropGPU` with the proportions 1:1.
fn square_part(min_scale: f64, w: usize, h: usize, rng: &mut Rng) -> [usize; 4] {
    let area = (w * h) as f64;
    for _ in 0..10 {
        let side = (rng.uniform(min_scale, 1.0) * area).sqrt().round_ties_even() as usize;
        if side >= 1 && side <= w && side <= h {
            let top = rng.below(h - side + 1);
            return [rng.below(w - side + 1), top, side, side];
        }
    }
    let side = w.min(h);
    [(w - side) / 2, (h - side) / 2, side, side]
}

/// The product of two matrices whose third row is 0, 0, 1.
fn product(a: [[f64; 3]; 2], b: [[f64; 3]; 2]) -> [[f64; 3]; 2] {
    let b = [b[0], b[1], [0.0, 0.0, 1.0]];
    a.map(|row| std::array::from_fn(|j| (0..3).map(|k| row[k] * b[k][j]).sum()))
}

/// The perspective that takes the moved corners of fast.ai's `Warp` to the true ones, by solving its eight equations.
fn perspective((x, y): (f64, f64)) -> Option<[f32; 8]> {
    let corners = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)];
    let moved = [(-1.0 - y, -1.0 - x), (-1.0 + y, 1.0 + x), (1.0 + y, -1.0 + x), (1.0 - y, 1.0 - x)];
    let mut rows: Vec<[f64; 9]> = Vec::new();
    for ((u, v), (p, q)) in corners.into_iter().zip(moved) {
        rows.push([p, q, 1.0, 0.0, 0.0, 0.0, -u * p, -u * q, u]);
        rows.push([0.0, 0.0, 0.0, p, q, 1.0, -v * p, -v * q, v]);
    }
    // Gauss and Jordan, with the largest element as pivot.
    for k in 0..8 {
        let pivot = (k..8).max_by(|&i, &j| rows[i][k].abs().total_cmp(&rows[j][k].abs()))?;
        rows.swap(k, pivot);
        if rows[k][k].abs() < 1e-12 {
            return None;
        }
        let row = rows[k].map(|v| v / rows[k][k]);
        rows[k] = row;
        for (_, other) in rows.iter_mut().enumerate().filter(|(i, _)| *i != k) {
            let factor = other[k];
            (0..9).for_each(|j| other[j] -= factor * row[j]);
        }
    }
    Some(std::array::from_fn(|i| rows[i][8] as f32))
}
