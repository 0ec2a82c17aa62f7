//! An image as floating-point channels.

use super::Image;
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};

/// An image as `f32` values `[3, H, W]`: all of red, all of green, all of blue. Values are between 0 and 1 until they
/// are normalised.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelPlanes {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl ChannelPlanes {
    /// Planes of these `3 * height * width` values.
    ///
    /// # Errors
    /// When there is another number of values.
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Result<ChannelPlanes> {
        if values.len() != 3 * width * height || values.is_empty() {
            let n = values.len();
            return Err(Error::shape(
                format!("planes of {width} by {height} need 3 * {height} * {width} values, not {n}"),
                &[n],
            ));
        }
        Ok(ChannelPlanes { width, height, values })
    }

    pub(super) fn from_parts(width: usize, height: usize, values: Vec<f32>) -> ChannelPlanes {
        debug_assert_eq!(values.len(), 3 * width * height);
        ChannelPlanes { width, height, values }
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All values: channel by channel, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values, without a copy.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The part `[left, top, width, height]`.
    pub(super) fn part(&self, [left, top, width, height]: [usize; 4]) -> Result<ChannelPlanes> {
        if width == 0 || height == 0 || left + width > self.width || top + height > self.height {
            return Err(Error::shape(
                format!(
                    "a part of {width} by {height} from ({left}, {top}) on does not lie within {} by {}",
                    self.width, self.height
                ),
                &[self.height, self.width],
            ));
        }
        let rows = self.values.chunks_exact(self.width).enumerate();
        let wanted = rows.filter(|(i, _)| (top..top + height).contains(&(i % self.height)));
        let values = wanted.flat_map(|(_, row)| &row[left..left + width]).copied().collect();
        Ok(ChannelPlanes { width, height, values })
    }

    /// A tensor `[3, H, W]`.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn to_tensor(self, device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.values, (3, self.height, self.width), device)?)
    }

    /// Converts values between 0 and 1 to bytes; others are clipped.
    pub fn to_image(&self) -> Image {
        let n = self.width * self.height;
        let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u8;
        let bytes = (0..n).flat_map(|i| [0, 1, 2].map(|channel| byte(self.values[channel * n + i]))).collect();
        Image::from_parts(self.width, self.height, bytes)
    }
}

impl From<&Image> for ChannelPlanes {
    /// The image's bytes divided by 255. torchvision's `ToTensor`.
    fn from(picture: &Image) -> ChannelPlanes {
        let mut values = Vec::with_capacity(picture.bytes().len());
        append_with(picture, |_, v| f32::from(v) / 255.0, &mut values);
        ChannelPlanes::from_parts(picture.width(), picture.height(), values)
    }
}

/// Appends a picture's planes to `out`; `number` says what a channel's byte becomes.
pub(super) fn append_with(picture: &Image, number: impl Fn(usize, u8) -> f32, out: &mut Vec<f32>) {
    let table: Vec<[f32; 256]> = (0..3).map(|channel| std::array::from_fn(|v| number(channel, v as u8))).collect();
    for (channel, table) in table.iter().enumerate() {
        out.extend(picture.bytes()[channel..].iter().step_by(3).map(|&v| table[usize::from(v)]));
    }
}
