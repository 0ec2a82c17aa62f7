//! What batch normalisation knows of a batch.

use super::simd::dispatch;
use super::values::{Number, Stored};
use super::{fast, with_stored};
use candle_core::{DType, Device, Result, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::sync::Arc;

/// The mean and the biased variance of each channel, over all other axes.
#[derive(Debug, Clone)]
pub struct BatchStats {
    /// The means, `[C]`, on the device of the values; `f64` if they are, else `f32`.
    pub mean: Tensor,
    /// The biased variances, `[C]`: sums of squares divided by the number of values.
    pub var: Tensor,
    /// The number of values of each channel.
    pub count: usize,
    /// How the batch goes on in other processes, if it does: then `mean`, `var` and `count` are those of all of it.
    pub spread: Option<Spread>,
}

/// What replaces numbers by their sums over processes.
type Sum = dyn Fn(&mut [f64]) -> Result<()> + Send + Sync;

/// A batch that is spread over several processes, each of which has some of its rows.
#[derive(Clone)]
pub struct Spread {
    /// Replaces numbers by their sums over all processes, in an order that does not change.
    pub sum: Arc<Sum>,
    /// Whether this process has rows of the batch. If it has none, it computes with another's so that all take part in
    /// every sum, and these are not in the statistics.
    pub counts: bool,
}

impl std::fmt::Debug for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spread").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// Computes the statistics of `xs` `[.., C]`, on its device and without a gradient.
///
/// # Errors
/// When `xs` is empty or a scalar.
pub fn batch_stats(xs: &Tensor) -> Result<BatchStats> {
    let c = channels(xs)?;
    if !fast(xs) {
        let xs = xs.detach();
        // Types of 16 bits would lose the sums.
        let xs = if xs.dtype() == DType::F64 { xs } else { xs.to_dtype(DType::F32)? };
        let (mean, var) = moments(&xs)?;
        let (mean, var, count) = (mean.flatten_all()?, var.flatten_all()?, xs.elem_count() / c);
        return Ok(BatchStats { mean, var, count, spread: None });
    }
    with_stored(xs, |x| {
        let count = x.len() / c;
        let (mean, var) = match x {
            Stored::F32(x) => mean_and_var(x, c),
            Stored::BF16(x) => mean_and_var(x, c),
        };
        Ok(BatchStats {
            mean: Tensor::from_vec(mean, c, &Device::Cpu)?,
            var: Tensor::from_vec(var, c, &Device::Cpu)?,
            count,
            spread: None,
        })
    })
}

fn mean_and_var<N: Number>(x: &[N], c: usize) -> (Vec<f32>, Vec<f32>) {
    let rows = Rows::new(c, x.len());
    // Differences from some value of the channel: squares of large means would drown the variance.
    let first: Vec<f32> = x[..c].iter().map(|x| x.wide()).collect();
    let origin = rows.repeat(&first);
    let sums = rows.sums(|range| {
        let mut sums = [vec![0.0; rows.width], vec![0.0; rows.width]];
        dispatch(Moments { xs: &x[range], origin: &origin, sums: &mut sums });
        sums
    });
    let count = x.len() / c;
    let mean: Vec<f64> = sums[0].iter().map(|sum| sum / count as f64).collect();
    let var = sums[1].iter().zip(&mean).map(|(square, mean)| (square / count as f64 - mean * mean).max(0.0) as f32);
    let var = var.collect();
    (mean.iter().zip(first).map(|(mean, origin)| (mean + f64::from(origin)) as f32).collect(), var)
}

/// Mean and variance over all axes but the last, of candle's operations, `[1, ..., C]`.
pub(super) fn moments(xs: &Tensor) -> Result<(Tensor, Tensor)> {
    let axes: Vec<usize> = (0..xs.rank() - 1).collect();
    let mean = xs.mean_keepdim(axes.as_slice())?;
    let var = xs.broadcast_sub(&mean)?.sqr()?.mean_keepdim(axes.as_slice())?;
    Ok((mean, var))
}

pub(super) fn channels(xs: &Tensor) -> Result<usize> {
    match xs.dims().last() {
        Some(&c) if xs.elem_count() > 0 => Ok(c),
        _ => candle_core::bail!("batch_norm: nothing to normalise in a tensor of shape {:?}", xs.dims()),
    }
}

/// How to go through `[rows, C]`: several rows at once where channels are fewer than a register's values, and in blocks
/// that stay in the cache.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) c: usize,
    /// Values that are looked at together: a multiple of `c`.
    pub(super) width: usize,
    /// Values of a block: fixed, so that sums are the same for any number of threads.
    pub(super) block: usize,
    len: usize,
}

impl Rows {
    pub(super) fn new(c: usize, len: usize) -> Rows {
        let width = c * (32 / c).max(1);
        Rows { c, width, block: width * (8192 / width).clamp(16, 128), len }
    }

    /// A channel's values as many times as a width has them.
    pub(super) fn repeat(&self, channels: &[f32]) -> Vec<f32> {
        channels.repeat(self.width / self.c)
    }

    /// Adds up what `of` gives for each block, in order, and folds the widths into channels.
    pub(super) fn sums(&self, of: impl Fn(std::ops::Range<usize>) -> [Vec<f32>; 2] + Sync) -> [Vec<f64>; 2] {
        let blocks: Vec<[Vec<f32>; 2]> = (0..self.len.div_ceil(self.block))
            .into_par_iter()
            .map(|block| of(block * self.block..((block + 1) * self.block).min(self.len)))
            .collect();
        std::array::from_fn(|which| {
            let mut total = vec![0.0; self.c];
            for sums in &blocks {
                for sums in sums[which].chunks_exact(self.c) {
                    total.iter_mut().zip(sums).for_each(|(total, &sum)| *total += f64::from(sum));
                }
            }
            total
        })
    }
}

/// Sums of differences from `origin`, and of their squares.
struct Moments<'a, N> {
    xs: &'a [N],
    origin: &'a [f32],
    sums: &'a mut [Vec<f32>; 2],
}

impl<N: Number> WithSimd for Moments<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [sums, squares] = self.sums;
        for xs in self.xs.chunks(self.origin.len()) {
            let n = xs.len();
            let (origin, sums, squares) = (&self.origin[..n], &mut sums[..n], &mut squares[..n]);
            for i in 0..n {
                let d = xs[i].wide() - origin[i];
                sums[i] += d;
                squares[i] += d * d;
            }
        }
    }
}
