//! Normalisation to mean 0 and standard deviation 1, and its inverse.

use super::ChannelPlanes;
use super::Image;
use super::planes::append_with;
use crate::error::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// Normalisation of each channel, `(value - mean) / std`. torchvision's and fast.ai's `Normalize`.
///
/// # Shapes
/// `[3, H, W]` → `[3, H, W]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normalize {
    /// Means of red, green and blue, on the scale from 0 to 1.
    pub mean: [f32; 3],
    /// Standard deviations of red, green and blue.
    pub std: [f32; 3],
}

impl Normalize {
    /// The statistics of ImageNet: means 0.485, 0.456, 0.406 and standard deviations 0.229, 0.224, 0.225.
    pub fn imagenet() -> Normalize {
        Normalize { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
    }

    /// Normalises an image of values between 0 and 1.
    ///
    /// # Errors
    /// [`Error::Config`] when a standard deviation is not a positive number.
    pub fn apply(&self, mut planes: ChannelPlanes) -> Result<ChannelPlanes> {
        self.check()?;
        let n = planes.width() * planes.height();
        for (channel, plane) in planes.values_mut().chunks_exact_mut(n).enumerate() {
            plane.iter_mut().for_each(|v| *v = self.number(channel, *v));
        }
        Ok(planes)
    }

    /// Undoes the normalisation of a tensor `[3, H, W]` or `[N, 3, H, W]`: `value * std + mean`. fast.ai's `decode`.
    ///
    /// # Errors
    /// When the tensor has another shape.
    pub fn inverse(&self, xs: &Tensor) -> Result<Tensor> {
        let mean = Tensor::new(&self.mean, xs.device())?.reshape((3, 1, 1))?.to_dtype(xs.dtype())?;
        let std = Tensor::new(&self.std, xs.device())?.reshape((3, 1, 1))?.to_dtype(xs.dtype())?;
        Ok(xs.broadcast_mul(&std)?.broadcast_add(&mean)?)
    }

    /// Undoes the normalisation of one image.
    #[must_use]
    pub fn inverse_planes(&self, mut planes: ChannelPlanes) -> ChannelPlanes {
        let n = planes.width() * planes.height();
        for (channel, plane) in planes.values_mut().chunks_exact_mut(n).enumerate() {
            plane.iter_mut().for_each(|v| *v = *v * self.std[channel] + self.mean[channel]);
        }
        planes
    }

    /// Appends a picture's normalised values to `out`, by a table of all bytes.
    pub(super) fn append(&self, picture: &Image, out: &mut Vec<f32>) -> Result<()> {
        self.check()?;
        append_with(picture, |channel, v| self.number(channel, f32::from(v) / 255.0), out);
        Ok(())
    }

    fn number(&self, channel: usize, v: f32) -> f32 {
        (v - self.mean[channel]) / self.std[channel]
    }

    pub(super) fn check(&self) -> Result<()> {
        // The smallest numbers have no finite reciprocal.
        if !self.std.iter().all(|&s| s > 0.0 && s.is_finite() && (1.0 / s).is_finite()) {
            let what = format!("normalize: the deviations must be positive numbers, and are {:?}", self.std);
            return Err(Error::config("std", what));
        }
        if !self.mean.iter().all(|m| m.is_finite()) {
            return Err(Error::config(
                "mean",
                format!("normalize: the means must be numbers, and are {:?}", self.mean),
            ));
        }
        Ok(())
    }
}
