//! Average pooling.

use super::resample::{Axis, resample};
use super::trace::{Operation, traced};
use super::windows::{Pool, Window, adaptive_windows};
use candle_core::{Result, Tensor};

/// Average pooling: the mean of each window. PyTorch's `avg_pool2d`; with `count_include_pad` the zeros of the border
/// count.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, H', W', C]` with `H' = (H + 2·padding - kernel) / stride + 1`.
///
/// # Errors
/// When a size is 0, the padding exceeds half a window, or the window is larger than the padded image.
pub fn avg_pool2d(xs: &Tensor, pool: &Pool, count_include_pad: bool) -> Result<Tensor> {
    traced(
        || Operation::AvgPool2d { xs: xs.clone(), pool: *pool, count_include_pad },
        || {
            let windows = pool.windows("avg_pool2d", xs)?;
            means(xs, &windows, |window| if count_include_pad { window.length } else { window.inside.len() })
        },
    )
}

/// Average pooling to a fixed size. PyTorch's `adaptive_avg_pool2d`.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, height, width, C]` with `size` = `[height, width]`
///
/// # Errors
/// When the image or the grid is empty.
pub fn adaptive_avg_pool2d(xs: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    traced(
        || Operation::AdaptiveAvgPool2d { xs: xs.clone(), size },
        || means(xs, &adaptive_windows("adaptive_avg_pool2d", xs, size)?, |window| window.inside.len()),
    )
}

/// The mean of each channel. PyTorch's `adaptive_avg_pool2d(1)`.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, C]`
///
/// # Errors
/// When the image is empty.
pub fn global_avg_pool2d(xs: &Tensor) -> Result<Tensor> {
    traced(|| Operation::GlobalAvgPool2d { xs: xs.clone() }, || adaptive_avg_pool2d(xs, [1, 1])?.flatten_from(1))
}

fn means(xs: &Tensor, windows: &[Vec<Window>; 2], count: impl Fn(&Window) -> usize) -> Result<Tensor> {
    let axes = [0, 1].map(|axis| {
        let size = xs.dims()[axis + 1];
        let taps = windows[axis].iter().map(|window| {
            let share = 1.0 / count(window) as f64;
            window.inside.clone().map(|at| (at, share)).collect()
        });
        Axis::new(size, taps.collect())
    });
    resample(xs, axes)
}
