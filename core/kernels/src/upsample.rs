//! Upsampling by the nearest pixel, and bilinear.

use super::resample::{Axis, resample};
use super::trace::{Operation, traced};
use candle_core::{Result, Tensor};

/// Resizes images with the nearest pixel. PyTorch's `F.interpolate(mode="nearest")`.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, height, width, C]` with `size` = `[height, width]`, larger or smaller
///
/// # Errors
/// When the image or the size is empty.
pub fn upsample_nearest2d(xs: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    traced(
        || Operation::UpsampleNearest2d { xs: xs.clone(), size },
        || {
            let axis = |from: usize, to: usize| {
                // PyTorch computes the ratio in single precision.
                let scale = from as f32 / to as f32;
                Axis::new(from, (0..to).map(|at| vec![((((at as f32) * scale) as usize).min(from - 1), 1.0)]).collect())
            };
            to_size("upsample_nearest2d", xs, size, axis)
        },
    )
}

/// Resizes images by bilinear interpolation, without antialiasing. PyTorch's `F.interpolate(mode="bilinear")`: with
/// `align_corners` the centres of the corner pixels stay in place, otherwise the edges of the image.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, height, width, C]` with `size` = `[height, width]`
///
/// # Errors
/// When the image or the size is empty.
pub fn upsample_bilinear2d(xs: &Tensor, size: [usize; 2], align_corners: bool) -> Result<Tensor> {
    let axis = |from: usize, to: usize| {
        let taps = |at: usize| {
            let place = match (align_corners, to) {
                (true, 1) => 0.0,
                (true, _) => at as f64 * (from - 1) as f64 / (to - 1) as f64,
                (false, _) => ((at as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0),
            };
            let low = (place as usize).min(from - 1);
            let weight = place - low as f64;
            vec![(low, 1.0 - weight), ((low + 1).min(from - 1), weight)]
        };
        Axis::new(from, (0..to).map(taps).collect())
    };
    to_size("upsample_bilinear2d", xs, size, axis)
}

fn to_size(name: &str, xs: &Tensor, size: [usize; 2], axis: impl Fn(usize, usize) -> Axis) -> Result<Tensor> {
    let (_, h, w, _) = xs.dims4()?;
    if xs.elem_count() == 0 || size.contains(&0) {
        candle_core::bail!("{name}: from input [N, H, W, C] {:?} to {size:?}", xs.dims());
    }
    resample(xs, [axis(h, size[0]), axis(w, size[1])])
}
