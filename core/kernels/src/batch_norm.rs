//! Batch normalisation (Ioffe and Szegedy, 2015) over the last axis of a channels-last tensor, with the residual sum
//! and the activation that follow it.

use super::activation::Activation;
use super::batch_stats::{BatchStats, Rows, Spread, channels, moments};
use super::blank::{Blank, filled};
use super::graph::record;
use super::simd::dispatch;
use super::trace::{Operation, traced};
use super::values::{Number, Stored, Values, fill_as, fill_pair_as};
use super::{fast, with_optional_stored, with_stored, with_values};
use candle_core::{DType, Device, Result, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// The settings of [`batch_norm`].
#[derive(Debug, Clone, Copy)]
pub struct BatchNormOptions {
    /// Added to the variance; 1e-5 in PyTorch.
    pub eps: f64,
    /// Whether the statistics are those of the batch itself, so that gradients flow through them, rather than
    /// constants.
    pub training: bool,
    /// The activation that follows.
    pub activation: Activation,
}

/// Batch normalisation, a residual sum and an activation in one pass. PyTorch's `F.batch_norm`.
///
/// ```text
/// ys = activation((xs - mean) / √(var + eps) · weight + bias + residual)
/// ```
///
/// # Shapes
/// `xs` and `residual` `[.., C]`, `weight` and `bias` `[C]` → `[.., C]`
///
/// # Errors
/// When a length differs from the number of channels, or the residual's shape from that of `xs`.
pub fn batch_norm(
    xs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stats: &BatchStats,
    options: &BatchNormOptions,
    residual: Option<&Tensor>,
) -> Result<Tensor> {
    let operation = || Operation::BatchNorm {
        xs: xs.clone(),
        weight: weight.clone(),
        bias: bias.clone(),
        mean: stats.mean.clone(),
        var: stats.var.clone(),
        eps: options.eps,
        residual: residual.cloned(),
        activation: options.activation,
    };
    traced(operation, || {
        let c = channels(xs)?;
        if [weight.elem_count(), bias.elem_count(), stats.mean.elem_count(), stats.var.elem_count()] != [c; 4] {
            candle_core::bail!("batch_norm: {c} channels, weight {:?}, bias {:?}", weight.dims(), bias.dims());
        }
        if let Some(residual) = residual.filter(|residual| residual.shape() != xs.shape()) {
            candle_core::bail!("batch_norm: input {:?} and residual {:?} differ in shape", xs.dims(), residual.dims());
        }
        if !(fast(xs) && fast(weight) && fast(bias) && residual.is_none_or(fast)) {
            if options.training && stats.spread.is_some() {
                candle_core::bail!(
                    "batch_norm: statistics over several processes are for f32 on the CPU; take those of each process"
                );
            }
            return portable(xs, weight, bias, stats, options, residual);
        }
        let host = |values: &Tensor| values.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.to_vec1();
        let (mean, var) = (host(&stats.mean)?, host(&stats.var)?);
        let norm =
            with_values(weight, |w| with_values(bias, |b| Ok(Norm::new(xs.elem_count(), w, b, &mean, &var, options))))?;
        let values = with_stored(xs, |x| {
            with_optional_stored(residual, |r| {
                Ok(match x {
                    Stored::F32(x) => norm.forward(x, r.map(|r| r.all()).as_deref()),
                    Stored::BF16(x) => norm.forward(x, r.map(|r| r.narrow()).as_deref()),
                })
            })
        })?;
        let spread = stats.spread.clone().map(|spread| (spread, stats.count));
        let (x, needed) = (xs.clone(), residual.filter(|_| options.activation.needs_input()).cloned());
        let back = move |ys: &Tensor, grad: &Tensor, wanted: &[bool]| {
            let grads = with_stored(&x, |x| {
                with_stored(ys, |y| {
                    with_stored(grad, |dy| {
                        with_optional_stored(needed.as_ref(), |r| match x {
                            Stored::F32(x) => {
                                let (y, dy, r) = (y.all(), dy.all(), r.map(|r| r.all()));
                                norm.backward(x, &y, &dy, r.as_deref(), wanted, spread.as_ref())
                            }
                            Stored::BF16(x) => {
                                let (y, dy, r) = (y.narrow(), dy.narrow(), r.map(|r| r.narrow()));
                                norm.backward(x, &y, &dy, r.as_deref(), wanted, spread.as_ref())
                            }
                        })
                    })
                })
            })?;
            let dims = [x.dims(), &[c], &[c], x.dims()];
            let tensor = |(grad, dims): (Option<Values>, &[usize])| grad.map(|grad| grad.tensor(dims)).transpose();
            grads.into_iter().zip(dims).take(wanted.len()).map(tensor).collect()
        };
        let inputs: Vec<&Tensor> = [xs, weight, bias].into_iter().chain(residual).collect();
        record(&inputs, values, xs.shape(), back)
    })
}

fn portable(
    xs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    stats: &BatchStats,
    options: &BatchNormOptions,
    residual: Option<&Tensor>,
) -> Result<Tensor> {
    let (mean, var) = if options.training {
        moments(xs)?
    } else {
        let constant = |values: &Tensor| values.detach().to_device(xs.device())?.to_dtype(xs.dtype());
        (constant(&stats.mean)?, constant(&stats.var)?)
    };
    let normal = xs.broadcast_sub(&mean)?.broadcast_div(&(var + options.eps)?.sqrt()?)?;
    let ys = normal.broadcast_mul(weight)?.broadcast_add(bias)?;
    let ys = residual.map_or(Ok(ys.clone()), |residual| ys + residual)?;
    options.activation.portable(&ys)
}

/// A normalisation with its constants, each repeated over a width.
struct Norm {
    rows: Rows,
    mean: Vec<f32>,
    inv_std: Vec<f32>,
    /// `weight * inv_std`
    scale: Vec<f32>,
    bias: Vec<f32>,
    options: BatchNormOptions,
}

impl Norm {
    fn new(len: usize, weight: &[f32], bias: &[f32], mean: &[f32], var: &[f32], options: &BatchNormOptions) -> Norm {
        let rows = Rows::new(weight.len(), len);
        let inv_std: Vec<f32> = var.iter().map(|&var| (1.0 / (f64::from(var) + options.eps).sqrt()) as f32).collect();
        let scale: Vec<f32> = weight.iter().zip(&inv_std).map(|(weight, inv_std)| weight * inv_std).collect();
        let [mean, inv_std, scale, bias] = [mean, &inv_std, &scale, bias].map(|v| rows.repeat(v));
        Norm { rows, mean, inv_std, scale, bias, options: *options }
    }

    fn forward<N: Number>(&self, x: &[N], residual: Option<&[N]>) -> Values {
        let block = self.rows.block;
        fill_as(N::DTYPE, x.len(), block, x.par_chunks(block).enumerate(), |(i, x), out| {
            let residual = residual.map(|residual| &residual[i * block..][..x.len()]);
            dispatch(Forward { norm: self, x, residual, out })
        })
    }

    /// The gradients by input, weight, bias and residual, of those that are wanted.
    fn backward<N: Number>(
        &self,
        x: &[N],
        y: &[N],
        dy: &[N],
        residual: Option<&[N]>,
        wanted: &[bool],
        spread: Option<&(Spread, usize)>,
    ) -> Result<[Option<Values>; 4]> {
        let (rows, count) = (self.rows, x.len() / self.rows.c);
        let block = |range: std::ops::Range<usize>| Block {
            x: &x[range.clone()],
            y: &y[range.clone()],
            dy: &dy[range.clone()],
            residual: residual.map(|residual| &residual[range]),
        };
        let sums_wanted = self.options.training && wanted[0] || wanted[1] || wanted[2];
        let [dbias, dweight] = if sums_wanted {
            rows.sums(|range| {
                let mut sums = [vec![0.0; rows.width], vec![0.0; rows.width]];
                dispatch(Sums { norm: self, block: block(range), sums: &mut sums });
                sums
            })
        } else {
            [vec![0.0; rows.c], vec![0.0; rows.c]]
        };
        let shortcut = wanted.get(3) == Some(&true);
        // In eval mode the statistics are constants, and nothing flows through them.
        let mut through = if self.options.training { 1.0 / count as f64 } else { 0.0 };
        let mut of_all = [dbias.clone(), dweight.clone()];
        if let Some((spread, count)) = spread.filter(|_| self.options.training && wanted[0]) {
            let mut both = of_all.concat();
            (spread.sum)(&mut both)?;
            let (by_bias, by_weight) = both.split_at(rows.c);
            of_all = [by_bias.to_vec(), by_weight.to_vec()];
            through = if spread.counts { 1.0 / *count as f64 } else { 0.0 };
        }
        let means = of_all.map(|sums| rows.repeat(&sums.iter().map(|sum| (sum * through) as f32).collect::<Vec<_>>()));
        let starts = (0..x.len()).into_par_iter().step_by(rows.block);
        let block_at = |start: usize| block(start..(start + rows.block).min(x.len()));
        let (dx, dresidual) = match (wanted[0], shortcut) {
            (true, true) => {
                let [dx, dresidual] = fill_pair_as(N::DTYPE, x.len(), rows.block, starts, |start, dx, dresidual| {
                    dispatch(BackToBoth { norm: self, block: block_at(start), means: &means, dx, dresidual })
                });
                (Some(dx), Some(dresidual))
            }
            (true, false) => {
                let dx = fill_as(N::DTYPE, x.len(), rows.block, starts, |start, dx| {
                    dispatch(BackToInput { norm: self, block: block_at(start), means: &means, dx })
                });
                (Some(dx), None)
            }
            (false, true) => {
                let dresidual = fill_as(N::DTYPE, x.len(), rows.block, starts, |start, dresidual| {
                    dispatch(BackToResidual { norm: self, block: block_at(start), dresidual })
                });
                (None, Some(dresidual))
            }
            (false, false) => (None, None),
        };
        let small = |sums: &[f64]| Values::F32(sums.iter().map(|&sum| sum as f32).collect());
        Ok([dx, wanted[1].then(|| small(&dweight)), wanted[2].then(|| small(&dbias)), dresidual])
    }

    /// From the gradient by what went into the activation to that by the input, in place.
    #[inline(always)]
    fn through_statistics<N: Number>(&self, x: &[N], means: &[Vec<f32>; 2], dx: &mut [f32]) {
        let width = self.rows.width;
        for (x, dx) in x.chunks(width).zip(dx.chunks_mut(width)) {
            let n = x.len();
            let (mean, inv_std, scale) = (&self.mean[..n], &self.inv_std[..n], &self.scale[..n]);
            let (by_bias, by_weight, dx) = (&means[0][..n], &means[1][..n], &mut dx[..n]);
            for i in 0..n {
                dx[i] = scale[i] * (dx[i] - by_bias[i] - (x[i].wide() - mean[i]) * inv_std[i] * by_weight[i]);
            }
        }
    }

    /// What goes into the activation.
    #[inline(always)]
    fn normalise<'a, N: Number>(&self, x: &[N], residual: Option<&[N]>, out: Blank<'a>) -> &'a mut [f32] {
        let width = self.rows.width;
        out.chunks(width, x.chunks(width).enumerate(), |(i, x), out| {
            let n = x.len();
            let (mean, scale, bias) = (&self.mean[..n], &self.scale[..n], &self.bias[..n]);
            let value = |i: usize| (x[i].wide() - mean[i]) * scale[i] + bias[i];
            match residual {
                Some(residual) => {
                    let residual = &residual[i * width..][..n];
                    out.write((0..n).map(|i| value(i) + residual[i].wide()))
                }
                None => out.write((0..n).map(value)),
            }
        })
    }
}

struct Forward<'a, 'o, N> {
    norm: &'a Norm,
    x: &'a [N],
    residual: Option<&'a [N]>,
    out: Blank<'o>,
}

impl<'o, N: Number> WithSimd for Forward<'_, 'o, N> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let out = self.norm.normalise(self.x, self.residual, self.out);
        self.norm.options.activation.apply(out);
        out
    }
}

/// A stretch of all that the backward pass reads.
struct Block<'a, N> {
    x: &'a [N],
    y: &'a [N],
    dy: &'a [N],
    residual: Option<&'a [N]>,
}

impl<N: Number> Block<'_, N> {
    /// The gradient by what went into the activation.
    #[inline(always)]
    fn before_activation<'a>(&self, norm: &Norm, out: Blank<'a>) -> &'a mut [f32] {
        let activation = norm.options.activation;
        let out = out.write(self.dy.iter().map(|dy| dy.wide()));
        if activation.needs_input() {
            let pre = filled(self.x.len(), |pre| norm.normalise(self.x, self.residual, pre));
            activation.back(out, &pre, self.y);
        } else {
            activation.back(out, self.y, self.y);
        }
        out
    }
}

/// The sums over rows that bias and weight get.
struct Sums<'a, N> {
    norm: &'a Norm,
    block: Block<'a, N>,
    sums: &'a mut [Vec<f32>; 2],
}

impl<N: Number> WithSimd for Sums<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let pre = filled(self.block.x.len(), |pre| self.block.before_activation(self.norm, pre));
        let width = self.norm.rows.width;
        let [biases, weights] = self.sums;
        for (x, pre) in self.block.x.chunks(width).zip(pre.chunks(width)) {
            let n = x.len();
            let (mean, pre) = (&self.norm.mean[..n], &pre[..n]);
            let (biases, weights) = (&mut biases[..n], &mut weights[..n]);
            for i in 0..n {
                biases[i] += pre[i];
                weights[i] += pre[i] * (x[i].wide() - mean[i]);
            }
        }
        weights.iter_mut().zip(&self.norm.inv_std).for_each(|(weight, inv_std)| *weight *= inv_std);
    }
}

/// The gradient by the input alone.
struct BackToInput<'a, 'o, N> {
    norm: &'a Norm,
    block: Block<'a, N>,
    /// What flows through mean and variance.
    means: &'a [Vec<f32>; 2],
    dx: Blank<'o>,
}

impl<'o, N: Number> WithSimd for BackToInput<'_, 'o, N> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let dx = self.block.before_activation(self.norm, self.dx);
        self.norm.through_statistics(self.block.x, self.means, dx);
        dx
    }
}

/// The gradient by the residual alone.
struct BackToResidual<'a, 'o, N> {
    norm: &'a Norm,
    block: Block<'a, N>,
    dresidual: Blank<'o>,
}

impl<'o, N: Number> WithSimd for BackToResidual<'_, 'o, N> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        self.block.before_activation(self.norm, self.dresidual)
    }
}

/// The gradients by input and residual.
struct BackToBoth<'a, 'o, 'r, N> {
    norm: &'a Norm,
    block: Block<'a, N>,
    means: &'a [Vec<f32>; 2],
    dx: Blank<'o>,
    dresidual: Blank<'r>,
}

impl<'o, 'r, N: Number> WithSimd for BackToBoth<'_, 'o, 'r, N> {
    type Output = (&'o mut [f32], &'r mut [f32]);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let dresidual = self.block.before_activation(self.norm, self.dresidual);
        let dx = self.dx.copy(dresidual);
        self.norm.through_statistics(self.block.x, self.means, dx);
        (dx, dresidual)
    }
}
