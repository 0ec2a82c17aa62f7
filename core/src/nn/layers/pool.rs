//! Pooling layers, and the end of the image part of a network.

use crate::error::Result;
use crate::kernels::{self, Pool};
use crate::nn::observe::report;
use crate::nn::{Module, through_channels_last};
use candle_core::Tensor;

/// A layer whose channels-last form is one kernel.
macro_rules! through_kernel {
    ($layer:ty, |$self:ident, $xs:ident| $kernel:expr) => {
        impl Module for $layer {
            fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
                through_channels_last(self, xs, train)
            }

            fn forward_channels_last(&$self, $xs: &Tensor, _train: bool) -> Result<Tensor> {
                let ys = $kernel?;
                report(stringify!($layer), &[], &ys, 0);
                Ok(ys)
            }
        }
    };
}

/// The largest value of each window. PyTorch's `nn.MaxPool2d`.
pub struct MaxPool2d(pub Pool);

through_kernel!(MaxPool2d, |self, xs| kernels::max_pool2d(xs, &self.0));

/// The mean of each window, border included. PyTorch's `nn.AvgPool2d`.
pub struct AvgPool2d(pub Pool);

through_kernel!(AvgPool2d, |self, xs| kernels::avg_pool2d(xs, &self.0, true));

/// Means over a grid of [height, width] windows. PyTorch's `nn.AdaptiveAvgPool2d`.
pub struct AdaptiveAvgPool2d(pub [usize; 2]);

through_kernel!(AdaptiveAvgPool2d, |self, xs| kernels::adaptive_avg_pool2d(xs, self.0));

/// Maxima over a grid of [height, width] windows. PyTorch's `nn.AdaptiveMaxPool2d`.
pub struct AdaptiveMaxPool2d(pub [usize; 2]);

through_kernel!(AdaptiveMaxPool2d, |self, xs| kernels::adaptive_max_pool2d(xs, self.0));

/// The mean over each channel, `[N, C, H, W]` to `[N, C]`: `AdaptiveAvgPool2d(1)` and `Flatten`.
pub struct GlobalAvgPool2d;

through_kernel!(GlobalAvgPool2d, |self, xs| kernels::global_avg_pool2d(xs));

/// Maximum and mean over each channel side by side, maximum first: fast.ai's `AdaptiveConcatPool2d` and `Flatten`,
/// `[N, C, H, W]` to `[N, 2C]`.
pub struct AdaptiveConcatPool2d;

through_kernel!(AdaptiveConcatPool2d, |self, xs| kernels::concat_pool2d(xs));

/// Channels into pixels, `[N, C·r², H, W]` to `[N, C, H·r, W·r]`. PyTorch's `nn.PixelShuffle`.
pub struct PixelShuffle(pub usize);

through_kernel!(PixelShuffle, |self, xs| kernels::pixel_shuffle(xs, self.0));

/// To a fixed [height, width] by the nearest pixel. PyTorch's `nn.Upsample(size)`.
pub struct Upsample(pub [usize; 2]);

through_kernel!(Upsample, |self, xs| kernels::upsample_nearest2d(xs, self.0));

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
