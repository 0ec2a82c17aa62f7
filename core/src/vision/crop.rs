//! Crops: the centre, or a random part.

use super::Interpolation;
use super::pad::{PadMode, pad};
use super::resize::{Resize, Window, resample};
use super::{Image, Mask, Transform};
use crate::error::{Error, Result};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

impl Image {
    /// The part of `width` by `height` pixels that starts at column `left` and row `top`.
    ///
    /// # Errors
    /// [`Error::Config`] when it is empty or does not lie within the image.
    pub fn crop(&self, left: usize, top: usize, width: usize, height: usize) -> Result<Image> {
        let fits =
            |start: usize, size: usize, all: usize| size > 0 && start.checked_add(size).is_some_and(|end| end <= all);
        if !fits(left, width, self.width()) || !fits(top, height, self.height()) {
            return Err(Error::shape(
                format!("a part of {width} by {height} pixels from ({left}, {top}) on does not lie within {self:?}"),
                &[self.height(), self.width()],
            ));
        }
        let rows = (top..top + height).flat_map(|y| &self.row(y)[left * 3..(left + width) * 3]);
        Ok(Image::from_parts(width, height, rows.copied().collect()))
    }
}

/// The centre of an image; a smaller image is padded with black. torchvision's `CenterCrop`.
///
/// ```
/// use tallow::vision::{CenterCrop, Image};
///
/// let image = Image::from_fn(8, 6, |x, y| [1, 2, 3].map(|c| (10 * x + 3 * y * c) as u8))?;
/// let centre = CenterCrop::new(2).apply(&image)?; // columns 3 and 4, rows 2 and 3
/// assert_eq!((centre.width(), centre.height(), centre.pixel(0, 0)), (2, 2, [36, 42, 48]));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CenterCrop {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl CenterCrop {
    /// `side` by `side` pixels.
    pub fn new(side: usize) -> CenterCrop {
        CenterCrop { width: side, height: side }
    }

    /// Where the crop begins in a picture of this size that is not smaller: (left, top). Halves are rounded to even, as
    /// in Python.
    pub(super) fn corner(&self, width: usize, height: usize) -> (usize, usize) {
        let start = |all: usize, part: usize| ((all - part) as f64 / 2.0).round_ties_even() as usize;
        (start(width, self.width), start(height, self.height))
    }

    /// Crops an image.
    ///
    /// # Errors
    /// When a side of the wanted size is 0.
    pub fn apply(&self, picture: &Image) -> Result<Image> {
        match self.missing(picture.width(), picture.height()) {
            Some(sides) => self.apply(&pad(picture, sides, PadMode::Zeros)),
            None => {
                let (left, top) = self.corner(picture.width(), picture.height());
                picture.crop(left, top, self.width, self.height)
            }
        }
    }

    pub(super) fn apply_mask(&self, mask: &Mask) -> Result<Mask> {
        match self.missing(mask.width(), mask.height()) {
            Some(sides) => self.apply_mask(&mask.pad(sides, PadMode::Zeros)),
            None => {
                let (left, top) = self.corner(mask.width(), mask.height());
                mask.crop(left, top, self.width, self.height)
            }
        }
    }

    /// What a picture of this size needs around it to be large enough, if it is not.
    fn missing(&self, width: usize, height: usize) -> Option<[usize; 4]> {
        let (w, h) = (self.width.saturating_sub(width), self.height.saturating_sub(height));
        (w > 0 || h > 0).then(|| [w / 2, h / 2, w.div_ceil(2), h.div_ceil(2)])
    }
}

/// A crop of random area, aspect ratio and position, resized to `width` by `height` (Szegedy et al., *Going deeper with
/// convolutions*, 2014). torchvision's and fast.ai's `RandomResizedCrop`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomResizedCrop {
    /// Columns of the result.
    pub width: usize,
    /// Rows of the result.
    pub height: usize,
    /// The smallest and largest fraction of the area; 0.08 and 1 by default.
    pub scale: (f64, f64),
    /// The smallest and largest aspect ratio, width by height, whose logarithm is uniform; 3/4 and 4/3 by default.
    pub ratio: (f64, f64),
    /// The interpolation of the resizing; bilinear by default.
    #[serde(alias = "filter")]
    pub interpolation: Interpolation,
}

impl RandomResizedCrop {
    /// A crop resized to `side` by `side` pixels, with torchvision's defaults.
    pub fn new(side: usize) -> RandomResizedCrop {
        RandomResizedCrop {
            width: side,
            height: side,
            scale: (0.08, 1.0),
            ratio: (3.0 / 4.0, 4.0 / 3.0),
            interpolation: Interpolation::Bilinear,
        }
    }

    /// Sets the smallest fraction of the area. fast.ai's `min_scale`.
    #[must_use]
    pub fn min_scale(self, min_scale: f64) -> RandomResizedCrop {
        RandomResizedCrop { scale: (min_scale, self.scale.1), ..self }
    }

    /// A part of a picture of `w` by `h` pixels.
    fn draw(&self, w: usize, h: usize, rng: &mut Rng) -> Window {
        let area = (w * h) as f64;
        let (low, high) = (libm::log(self.ratio.0), libm::log(self.ratio.1));
        for _ in 0..10 {
            let target = area * rng.uniform(self.scale.0, self.scale.1);
            let ratio = libm::exp(rng.uniform(low, high));
            let width = (target * ratio).sqrt().round_ties_even() as usize;
            let height = (target / ratio).sqrt().round_ties_even() as usize;
            if (1..=w).contains(&width) && (1..=h).contains(&height) {
                let top = rng.below(h - height + 1);
                let left = rng.below(w - width + 1);
                return Window { left, top, width, height };
            }
        }
        // Ten tries were in vain: the largest part in the middle of allowed proportions.
        let proportion = w as f64 / h as f64;
        let (width, height) = if proportion < self.ratio.0 {
            (w, (w as f64 / self.ratio.0).round_ties_even() as usize)
        } else if proportion > self.ratio.1 {
            ((h as f64 * self.ratio.1).round_ties_even() as usize, h)
        } else {
            (w, h)
        };
        let (width, height) = (width.clamp(1, w), height.clamp(1, h));
        Window { left: (w - width) / 2, top: (h - height) / 2, width, height }
    }

    /// Crops a random part of an image and resizes it.
    ///
    /// # Errors
    /// When a side of the wanted size is 0, or a range is not one of positive numbers.
    pub fn apply(&self, picture: &Image, rng: &mut Rng) -> Result<Image> {
        self.check()?;
        let window = self.draw(picture.width(), picture.height(), rng);
        resample(picture, window, self.width, self.height, self.interpolation)
    }

    pub(super) fn apply_mask(&self, mask: &Mask, rng: &mut Rng) -> Result<Mask> {
        self.check()?;
        self.draw(mask.width(), mask.height(), rng).of_mask(mask)?.resize(self.width, self.height)
    }

    pub(super) fn check(&self) -> Result<()> {
        let is_range = |(low, high): (f64, f64)| low > 0.0 && low <= high && high.is_finite();
        if !is_range(self.scale) || !is_range(self.ratio) {
            return Err(Error::config(
                "scale",
                format!(
                    "random resized crop: scale {:?} and ratio {:?} must be ranges of positive numbers",
                    self.scale, self.ratio
                ),
            ));
        }
        Ok(())
    }

    /// The transforms for validation, as in fast.ai: a resizing without regard to aspect ratio to a size 14 % larger
    /// (rounded up to a multiple of 8: 256 for 224), and a centre crop.
    pub fn valid(&self) -> Vec<Transform> {
        let more = (self.width.max(self.height) as f64 * 0.14 / 8.0).ceil() as usize * 8;
        let resize = Resize::squish(0).size(self.width + more, self.height + more).interpolation(self.interpolation);
        vec![resize.into(), CenterCrop { width: self.width, height: self.height }.into()]
    }
}
