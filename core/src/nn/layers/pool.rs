//! Pooling, upsampling and flattening.

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

/// Max pooling: the largest value of each window. PyTorch's `nn.MaxPool2d`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, C, H', W']`, with `H' = (H + 2·padding - kernel) / stride + 1`, rounded down, and `W'`
/// likewise.
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::kernels::Pool;
/// use tallow::nn::{AvgPool2d, MaxPool2d, Module};
/// # fn main() -> tallow::Result<()> {
/// let xs = Tensor::arange(1f32, 17., &Device::Cpu)?.reshape((1, 1, 4, 4))?; // 1 to 16
/// let maxima = MaxPool2d(Pool::new(2, 2, 0)).forward(&xs, false)?; // [1, 1, 2, 2]
/// assert_eq!(maxima.flatten_all()?.to_vec1::<f32>()?, [6., 8., 14., 16.]);
/// let means = AvgPool2d(Pool::new(2, 2, 0)).forward(&xs, false)?;
/// assert_eq!(means.flatten_all()?.to_vec1::<f32>()?, [3.5, 5.5, 11.5, 13.5]);
/// # Ok(())
/// # }
/// ```
pub struct MaxPool2d(pub Pool);

through_kernel!(MaxPool2d, |self, xs| kernels::max_pool2d(xs, &self.0));

/// Average pooling: the mean of each window. The zeros of the border count, as with PyTorch's `nn.AvgPool2d` and its
/// default `count_include_pad=True`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, C, H', W']`, with `H' = (H + 2·padding - kernel) / stride + 1`, rounded down, and `W'`
/// likewise.
pub struct AvgPool2d(pub Pool);

through_kernel!(AvgPool2d, |self, xs| kernels::avg_pool2d(xs, &self.0, true));

/// Average pooling to a fixed `[height, width]`, whatever the size of the image. PyTorch's `nn.AdaptiveAvgPool2d`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, C, height, width]`
pub struct AdaptiveAvgPool2d(pub [usize; 2]);

through_kernel!(AdaptiveAvgPool2d, |self, xs| kernels::adaptive_avg_pool2d(xs, self.0));

/// Max pooling to a fixed `[height, width]`, whatever the size of the image. PyTorch's `nn.AdaptiveMaxPool2d`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, C, height, width]`
pub struct AdaptiveMaxPool2d(pub [usize; 2]);

through_kernel!(AdaptiveMaxPool2d, |self, xs| kernels::adaptive_max_pool2d(xs, self.0));

/// The mean of each channel: PyTorch's `nn.AdaptiveAvgPool2d(1)` followed by `nn.Flatten`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, C]`
pub struct GlobalAvgPool2d;

through_kernel!(GlobalAvgPool2d, |self, xs| kernels::global_avg_pool2d(xs));

/// The maxima of all channels, followed by their means: fast.ai's `AdaptiveConcatPool2d` followed by `Flatten`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, 2·C]`
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{AdaptiveConcatPool2d, Module};
/// # fn main() -> tallow::Result<()> {
/// let xs = Tensor::new(&[[[[1f32, 2., 3.]], [[4., 5., 9.]]]], &Device::Cpu)?; // [1, 2, 1, 3]
/// assert_eq!(AdaptiveConcatPool2d.forward(&xs, false)?.to_vec2::<f32>()?, [[3., 9., 2., 6.]]);
/// # Ok(())
/// # }
/// ```
pub struct AdaptiveConcatPool2d;

through_kernel!(AdaptiveConcatPool2d, |self, xs| kernels::concat_pool2d(xs));

/// Rearranges `r²` channels into blocks of `r` x `r` pixels (Shi et al., 2016). PyTorch's `nn.PixelShuffle(r)`.
///
/// # Shapes
/// `xs` `[N, C·r², H, W]` → `[N, C, r·H, r·W]`
pub struct PixelShuffle(pub usize);

through_kernel!(PixelShuffle, |self, xs| kernels::pixel_shuffle(xs, self.0));

/// Resizes to a fixed `[height, width]` with the nearest pixel. PyTorch's `nn.Upsample(size)`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, C, height, width]`
pub struct Upsample(pub [usize; 2]);

through_kernel!(Upsample, |self, xs| kernels::upsample_nearest2d(xs, self.0));

/// Joins all axes but the first. PyTorch's `nn.Flatten`.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → `[N, C·H·W]`
pub struct Flatten;

impl Module for Flatten {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(flat(xs)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        // As in PyTorch, features are ordered channel by channel.
        let (_, h, w, _) = xs.dims4()?;
        Ok(if h * w == 1 { flat(xs)? } else { flat(&kernels::channels_first(xs)?)? })
    }
}

fn flat(xs: &Tensor) -> candle_core::Result<Tensor> {
    let n = xs.dim(0)?;
    kernels::trace::reshape(xs, (n, xs.elem_count() / n.max(1)))
}
