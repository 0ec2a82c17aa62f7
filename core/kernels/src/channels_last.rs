//! Between images in planes and images in pixels.

use super::graph::record;
use super::trace::{Operation, traced};
use super::{fast, with_values};
use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// Values that are turned together, in the nearest cache.
const BLOCK: usize = 1 << 12;

/// Converts images to the channels-last layout.
///
/// # Shapes
/// `xs` `[N, C, H, W]` → contiguous `[N, H, W, C]`
///
/// # Errors
/// When `xs` is not of rank 4.
pub fn channels_last(xs: &Tensor) -> Result<Tensor> {
    traced(
        || Operation::ChannelsLast { xs: xs.clone() },
        || {
            let (n, c, h, w) = xs.dims4()?;
            // A view of images that lie channels-last already costs nothing.
            let turned = xs.permute((0, 2, 3, 1))?;
            if turned.is_contiguous() || !fast(xs) || xs.elem_count() == 0 {
                return turned.contiguous();
            }
            let pixels = h * w;
            let block = BLOCK.div_ceil(c).min(pixels);
            let blocks = pixels.div_ceil(block);
            let values = with_values(xs, |xs| {
                let mut values = vec![0.0; xs.len()];
                let images = values.par_chunks_mut(pixels * c).zip(xs.par_chunks(pixels * c));
                images.for_each(|(values, planes)| {
                    values.par_chunks_mut(block * c).zip(0..blocks).for_each(|(values, index)| {
                        let first = index * block;
                        for (channel, plane) in planes.chunks_exact(pixels).enumerate() {
                            let plane = &plane[first..first + values.len() / c];
                            values.iter_mut().skip(channel).step_by(c).zip(plane).for_each(|(to, &from)| *to = from);
                        }
                    });
                });
                Ok(values)
            })?;
            record(&[xs], values, (n, h, w, c), |_, grad, _| Ok(vec![Some(grad.permute((0, 3, 1, 2))?.contiguous()?)]))
        },
    )
}

/// Converts channels-last images back: a view on the same memory.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, C, H, W]`
///
/// # Errors
/// When `xs` is not of rank 4.
pub fn channels_first(xs: &Tensor) -> Result<Tensor> {
    traced(|| Operation::ChannelsFirst { xs: xs.clone() }, || xs.permute((0, 3, 1, 2)))
}
