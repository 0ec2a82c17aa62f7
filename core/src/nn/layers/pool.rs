//! Pooling layers, and the end of the image part of a network.

use crate::error::Result;
use crate::kernels;
use crate::nn::{Module, through_channels_last};
use candle_core::{D, Tensor};

/// The largest value of each window. PyTorch's `nn.MaxPool2d`.
pub struct MaxPool2d {
    /// Side of the square window.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Border of minus infinity on each side.
    pub padding: usize,
}

impl Module for MaxPool2d {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::max_pool2d(xs, (self.kernel, self.kernel), self.stride, self.padding)?)
    }
}

/// The mean over each channel, `[N, C, H, W]` to `[N, C]`: `AdaptiveGlobalAvgPool2d(1)` and `Flatten`.
pub struct GlobalAvgPool2d;

impl Module for GlobalAvgPool2d {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(xs.flatten_from(2)?.mean(D::Minus1)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(xs.flatten(1, 2)?.mean(1)?)
    }
}

/// Maximum and mean over each channel side by side, maximum first: fast.ai's `AdaptiveConcatPool2d` and `Flatten`,
/// `[N, C, H, W]` to `[N, 2C]`.
pub struct AdaptiveConcatPool2d;

impl Module for AdaptiveConcatPool2d {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let (_, h, w, _) = xs.dims4()?;
        // Not candle's `max`, whose gradient goes to all of several equal values.
        let max = kernels::max_pool2d(xs, (h, w), 1, 0)?.flatten_from(1)?;
        let mean = GlobalAvgPool2d.forward_channels_last(xs, train)?;
        Ok(Tensor::cat(&[&max, &mean], 1)?)
    }
}

/// Joins all axes but the first, `[N, C, H, W]` to `[N, C·H·W]`. PyTorch's `nn.Flatten`.
pub struct Flatten;

impl Module for Flatten {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(xs.flatten_from(1)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        // Features are numbered as PyTorch numbers them, channel by channel.
        let (_, h, w, _) = xs.dims4()?;
        Ok(if h * w == 1 { xs.flatten_from(1)? } else { kernels::channels_first(xs)?.flatten_from(1)? })
    }
}
