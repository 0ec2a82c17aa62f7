//! fast.ai's concat pooling.

use super::avg_pool2d::global_avg_pool2d;
use super::cat::cat;
use super::max_pool2d::adaptive_max_pool2d;
use super::trace::{Operation, traced};
use candle_core::{Result, Tensor};

/// The maxima of all channels, followed by their means: fast.ai's `AdaptiveConcatPool2d(1)` followed by `Flatten`.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, 2·C]`
///
/// # Errors
/// When the image is empty.
pub fn concat_pool2d(xs: &Tensor) -> Result<Tensor> {
    traced(
        || Operation::ConcatPool2d { xs: xs.clone() },
        || cat(&[&adaptive_max_pool2d(xs, [1, 1])?.flatten_from(1)?, &global_avg_pool2d(xs)?]),
    )
}
