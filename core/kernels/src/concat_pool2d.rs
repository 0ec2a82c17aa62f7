//! The largest value and the mean side by side.

use super::avg_pool2d::global_avg_pool2d;
use super::cat::cat;
use super::max_pool2d::adaptive_max_pool2d;
use candle_core::{Result, Tensor};

/// Maximum and mean of each channel side by side, maximum first, `[N, H, W, C]` to `[N, 2C]`: fast.ai's
/// `AdaptiveConcatPool2d(1)` and `Flatten`.
///
/// # Errors
/// When the image is empty.
pub fn concat_pool2d(xs: &Tensor) -> Result<Tensor> {
    cat(&[&adaptive_max_pool2d(xs, [1, 1])?.flatten_from(1)?, &global_avg_pool2d(xs)?])
}
