//! Batch normalisation (Ioffe and Szegedy, 2015) over the last axis of a channels-last tensor.

use super::{fast, values, with_values};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Rows that one task sums up: fixed, so that sums are the same for any number of threads.
const ROWS: usize = 256;

/// Mean and (biased) variance of each channel, over all other axes.
#[derive(Debug, Clone)]
pub struct BatchStats {
    /// `[C]`
    pub mean: Vec<f32>,
    /// `[C]`, divided by the number of values, not by one less.
    pub var: Vec<f32>,
    /// How many values each channel has.
    pub count: usize,
}

/// The statistics of `xs` `[..., C]`, outside the gradient's graph. They are summed in `f64`.
///
/// # Errors
/// When `xs` is empty or a scalar.
pub fn batch_stats(xs: &Tensor) -> Result<BatchStats> {
    let c = channels(xs)?;
    let xs = xs.detach().to_dtype(candle_core::DType::F32)?.to_device(&candle_core::Device::Cpu)?;
    with_values(&xs, |x| {
        let count = x.len() / c;
        let mean: Vec<f64> = sum_rows(x.len(), c, |i, _| f64::from(x[i])).iter().map(|s| s / count as f64).collect();
        let squares = sum_rows(x.len(), c, |i, channel| (f64::from(x[i]) - mean[channel]).powi(2));
        Ok(BatchStats {
            mean: mean.iter().map(|&m| m as f32).collect(),
            var: squares.iter().map(|s| (s / count as f64) as f32).collect(),
            count,
        })
    })
}

/// `(x - mean) / sqrt(var + eps) * weight + bias`, with `weight` and `bias` `[C]`.
///
/// With `training`, `stats` are those of `xs` itself and the gradient flows through them; without, they are constants
/// (the running statistics).
///
/// # Errors
/// When a length differs from the number of channels.
pub fn batch_norm(
    xs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stats: &BatchStats,
    eps: f64,
    training: bool,
) -> Result<Tensor> {
    let c = channels(xs)?;
    if [weight.elem_count(), bias.elem_count(), stats.mean.len(), stats.var.len()] != [c; 4] {
        candle_core::bail!("batch_norm: {c} channels, weight {:?}, bias {:?}", weight.dims(), bias.dims());
    }
    if fast(xs) {
        let inv_std = stats.var.iter().map(|&v| (1.0 / (f64::from(v) + eps).sqrt()) as f32).collect();
        let op = BatchNorm { mean: stats.mean.clone(), inv_std, training };
        return xs.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op);
    }
    let (mean, var) = if training {
        let axes: Vec<usize> = (0..xs.rank() - 1).collect();
        let mean = xs.mean_keepdim(axes.as_slice())?;
        (mean.clone(), xs.broadcast_sub(&mean)?.sqr()?.mean_keepdim(axes.as_slice())?)
    } else {
        let constant = |values: &[f32]| Tensor::new(values, xs.device())?.to_dtype(xs.dtype());
        (constant(&stats.mean)?, constant(&stats.var)?)
    };
    let normal = xs.broadcast_sub(&mean)?.broadcast_div(&(var + eps)?.sqrt()?)?;
    normal.broadcast_mul(weight)?.broadcast_add(bias)
}

fn channels(xs: &Tensor) -> Result<usize> {
    match xs.dims().last() {
        Some(&c) if xs.elem_count() > 0 => Ok(c),
        _ => candle_core::bail!("batch_norm: nothing to normalise in a tensor of shape {:?}", xs.dims()),
    }
}

/// Per channel, the sum of `term(index, channel)` over all `len` values: in parallel over blocks of rows, added in order.
fn sum_rows(len: usize, c: usize, term: impl Fn(usize, usize) -> f64 + Sync) -> Vec<f64> {
    let block = ROWS * c;
    let partial: Vec<Vec<f64>> = (0..len.div_ceil(block))
        .into_par_iter()
        .map(|b| {
            let mut sums = vec![0.0; c];
            for row in (b * block..len.min((b + 1) * block)).step_by(c) {
                sums.iter_mut().enumerate().for_each(|(channel, sum)| *sum += term(row + channel, channel));
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; c];
    partial.iter().for_each(|sums| total.iter_mut().zip(sums).for_each(|(t, s)| *t += s));
    total
}

struct BatchNorm {
    mean: Vec<f32>,
    inv_std: Vec<f32>,
    training: bool,
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        weight: &CpuStorage,
        wl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (weight, bias) = (values(weight, wl)?, values(bias, bl)?);
        let scale: Vec<f32> = weight.iter().zip(&self.inv_std).map(|(w, s)| w * s).collect();
        let mut out = values(x, xl)?.to_vec();
        let c = weight.len();
        out.par_chunks_mut(ROWS * c).for_each(|block| {
            for row in block.chunks_exact_mut(c) {
                for (i, v) in row.iter_mut().enumerate() {
                    *v = (*v - self.mean[i]) * scale[i] + bias[i];
                }
            }
        });
        Ok((CpuStorage::F32(out), xl.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let c = self.mean.len();
        let normal = |x: f32, channel: usize| (x - self.mean[channel]) * self.inv_std[channel];
        with_values(x, |xv| {
            with_values(grad, |dy| {
                with_values(weight, |w| {
                    let dbias = sum_rows(dy.len(), c, |i, _| f64::from(dy[i]));
                    let dweight = sum_rows(dy.len(), c, |i, ch| f64::from(dy[i]) * f64::from(normal(xv[i], ch)));
                    let dx = if x.track_op() {
                        let scale: Vec<f32> = w.iter().zip(&self.inv_std).map(|(w, s)| w * s).collect();
                        // In eval mode the statistics are constants, and nothing flows through them.
                        let through = if self.training { c as f64 / dy.len() as f64 } else { 0.0 };
                        let mean_dy: Vec<f32> = dbias.iter().map(|s| (s * through) as f32).collect();
                        let mean_dyn: Vec<f32> = dweight.iter().map(|s| (s * through) as f32).collect();
                        let mut dx = dy.to_vec();
                        dx.par_chunks_mut(ROWS * c).zip(xv.par_chunks(ROWS * c)).for_each(|(dx, x)| {
                            for (dx, x) in dx.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                                for (i, dx) in dx.iter_mut().enumerate() {
                                    *dx = scale[i] * (*dx - mean_dy[i] - normal(x[i], i) * mean_dyn[i]);
                                }
                            }
                        });
                        Some(Tensor::from_vec(dx, x.shape(), x.device())?)
                    } else {
                        None
                    };
                    let per_channel = |sums: &[f64], of: &Tensor| {
                        let sums: Vec<f32> = sums.iter().map(|&s| s as f32).collect();
                        of.track_op().then(|| Tensor::from_vec(sums, of.shape(), of.device())).transpose()
                    };
                    Ok((dx, per_channel(&dweight, weight)?, per_channel(&dbias, bias)?))
                })
            })
        })
    }
}
