//! What each pixel of a picture shows, by number.

use super::interpolation::nearest_places;
use super::limits::check_size;
use super::pad::PadMode;
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};

/// The class of each pixel of a picture, by number, row by row. fast.ai's `PILMask` and `TensorMask`.
///
/// Numbers are never mixed: whatever moves or resizes a mask takes the nearest pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    values: Vec<u16>,
    outside: u16,
}

impl Mask {
    /// A mask of these numbers: `width * height`.
    ///
    /// # Errors
    /// When there are more or fewer, or a side is 0.
    pub fn new(width: usize, height: usize, values: Vec<u16>) -> Result<Mask> {
        if width == 0 || height == 0 || width.checked_mul(height) != Some(values.len()) {
            let n = values.len();
            let message = format!(
                "a mask of {width} by {height} pixels needs {width} * {height} numbers, at least 1, and got {n}"
            );
            return Err(Error::shape(message, &[n]));
        }
        Ok(Mask { width, height, values, outside: 0 })
    }

    /// A mask whose pixel in column `x` and row `y` is `class(x, y)`.
    ///
    /// # Errors
    /// When a side is 0.
    pub fn from_fn(width: usize, height: usize, class: impl Fn(usize, usize) -> u16) -> Result<Mask> {
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Mask::new(width, height, rows.map(|(x, y)| class(x, y)).collect())
    }

    /// The class of what a transform shows from beyond the border, where that is black in the picture
    /// ([`PadMode::Zeros`]): 0 by default, as in fast.ai. A void class is what such pixels are.
    #[must_use]
    pub fn outside(self, class: u16) -> Mask {
        Mask { outside: class, ..self }
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All numbers, row by row.
    pub fn values(&self) -> &[u16] {
        &self.values
    }

    /// The class of the pixel in column `x` and row `y`; none outside of the mask.
    pub fn class(&self, x: usize, y: usize) -> Option<u16> {
        (x < self.width && y < self.height).then(|| self.values[y * self.width + x])
    }

    /// How many pixels each class has, for classes `0..n`; others are not counted.
    pub fn counts(&self, n: usize) -> Vec<u64> {
        let mut counts = vec![0; n];
        for &class in &self.values {
            if let Some(count) = counts.get_mut(usize::from(class)) {
                *count += 1;
            }
        }
        counts
    }

    /// The same mask with `class(number)` for each number.
    #[must_use]
    pub fn map(mut self, class: impl Fn(u16) -> u16) -> Mask {
        self.values.iter_mut().for_each(|value| *value = class(*value));
        self
    }

    /// A tensor `[H, W]` of `u32`.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn to_tensor(&self, device: &Device) -> Result<Tensor> {
        let values: Vec<u32> = self.values.iter().copied().map(u32::from).collect();
        Ok(Tensor::from_vec(values, (self.height, self.width), device)?)
    }

    /// A mask of a tensor `[H, W]` of `u32`.
    ///
    /// # Errors
    /// When the tensor has another shape or type, or a class is above 65,535.
    pub fn from_tensor(tensor: &Tensor) -> Result<Mask> {
        let (height, width) = match *tensor.dims() {
            [h, w] => (h, w),
            ref dims => return Err(Error::shape(format!("a mask is a tensor [H, W], not {dims:?}"), dims)),
        };
        let values = tensor.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<u32>()?;
        let class = |value: u32| {
            u16::try_from(value).map_err(|_| Error::Value(format!("a mask has classes up to 65535, not {value}")))
        };
        Mask::new(width, height, values.into_iter().map(class).collect::<Result<_>>()?)
    }

    /// The part of `width` by `height` pixels whose first pixel is in column `left` and row `top`.
    ///
    /// # Errors
    /// When it does not lie within the mask or has no pixels.
    pub fn crop(&self, left: usize, top: usize, width: usize, height: usize) -> Result<Mask> {
        let fits =
            |start: usize, size: usize, all: usize| size > 0 && start.checked_add(size).is_some_and(|end| end <= all);
        if !fits(left, width, self.width) || !fits(top, height, self.height) {
            return Err(Error::shape(
                format!("a part of {width} by {height} pixels from ({left}, {top}) on does not lie within {self:?}"),
                &[self.height, self.width],
            ));
        }
        Ok(self.gather(width, height, |x, y| Some((x + left, y + top))))
    }

    /// The mask at another size, by the nearest pixels. Pillow's `resize(..., NEAREST)`.
    ///
    /// # Errors
    /// When a side of the wanted size is 0.
    pub fn resize(&self, width: usize, height: usize) -> Result<Mask> {
        self.resize_part((width, height), (0, 0), (width, height))
    }

    /// The `width` by `height` pixels from (`left`, `top`) on of the mask at the size `full`, by the nearest pixels.
    pub(super) fn resize_part(
        &self,
        full: (usize, usize),
        (left, top): (usize, usize),
        (width, height): (usize, usize),
    ) -> Result<Mask> {
        check_size(width, height).map_err(Error::Value)?;
        let (columns, rows) = (nearest_places(self.width, full.0), nearest_places(self.height, full.1));
        Ok(self.gather(width, height, |x, y| columns.get(left + x).copied().zip(rows.get(top + y).copied())))
    }

    /// Left and right change places.
    #[must_use]
    pub fn flip_horizontal(mut self) -> Mask {
        self.values.chunks_exact_mut(self.width).for_each(<[u16]>::reverse);
        self
    }

    /// Top and bottom change places.
    #[must_use]
    pub fn flip_vertical(self) -> Mask {
        self.gather(self.width, self.height, |x, y| Some((x, self.height - 1 - y)))
    }

    /// The mask with more around it: `[left, top, right, bottom]` pixels.
    #[must_use]
    pub fn pad(&self, [left, top, right, bottom]: [usize; 4], mode: PadMode) -> Mask {
        let place = |i: usize, before: usize, n: usize| mode.index(i as i64 - before as i64, n);
        self.gather(self.width + left + right, self.height + top + bottom, |x, y| {
            place(x, left, self.width).zip(place(y, top, self.height))
        })
    }

    /// A mask whose pixel in column `x` and row `y` is the one at `place(x, y)` of this one; where that is nowhere or
    /// outside, it is what lies outside.
    pub(super) fn gather(
        &self,
        width: usize,
        height: usize,
        place: impl Fn(usize, usize) -> Option<(usize, usize)>,
    ) -> Mask {
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let class = |x: usize| place(x, y).and_then(|(x, y)| self.class(x, y)).unwrap_or(self.outside);
            values.extend((0..width).map(class));
        }
        Mask { width, height, values, outside: self.outside }
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} x {})", self.width, self.height)
    }
}
