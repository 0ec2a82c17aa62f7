//! Pools that take means.

use super::resample::{Axis, resample};
use super::windows::{Pool, Window, adaptive_windows};
use candle_core::{Result, Tensor};

/// Each window's mean. PyTorch's `avg_pool2d`: with `count_include_pad` the border's zeros count.
///
/// # Shapes
/// `[N, H, W, C]` to `[N, H', W', C]` with `H' = (H + 2·padding - kernel) / stride + 1`.
///
/// # Errors
/// When a size is 0, the padding exceeds half a window, or the window is larger than the padded image.
pub fn avg_pool2d(xs: &Tensor, pool: &Pool, count_include_pad: bool) -> Result<Tensor> {
    let windows = pool.windows("avg_pool2d", xs)?;
    means(xs, &windows, |window| if count_include_pad { window.length } else { window.inside.len() })
}

/// Means over a grid of `size` = [height, width] windows, whatever the size of the image. PyTorch's
/// `adaptive_avg_pool2d`.
///
/// # Errors
/// When the image or the grid is empty.
pub fn adaptive_avg_pool2d(xs: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    means(xs, &adaptive_windows("adaptive_avg_pool2d", xs, size)?, |window| window.inside.len())
}

/// The mean of each channel, `[N, H, W, C]` to `[N, C]`.
///
/// # Errors
/// When the image is empty.
pub fn global_avg_pool2d(xs: &Tensor) -> Result<Tensor> {
    adaptive_avg_pool2d(xs, [1, 1])?.flatten_from(1)
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
