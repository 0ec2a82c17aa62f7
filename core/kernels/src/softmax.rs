//! Softmax in its logarithm, and the cross entropy that is made of it. Both subtract the largest value first, so
//! nothing overflows. candle's `softmax_last_dim` has no gradient.

use super::blank::fill;
use super::graph::{record, tracked};
use super::math::exp;
use super::simd::vectorized;
use super::{fast, with_values};
use candle_core::{D, DType, Device, Result, Tensor};
use rayon::prelude::*;

/// Rows that one task works through.
const ROWS: usize = 64;

/// The logarithm of the softmax over the last axis, `x - ln Σ exp(x)`. PyTorch's `F.log_softmax(dim=-1)`.
///
/// # Errors
/// When `xs` is empty or a scalar.
pub fn log_softmax(xs: &Tensor) -> Result<Tensor> {
    let c = width(xs)?;
    if !fast(xs) {
        let shifted = xs.broadcast_sub(&xs.max_keepdim(D::Minus1)?)?;
        return shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?);
    }
    let values = with_values(xs, |x| {
        Ok(fill(x.len(), ROWS * c, x.par_chunks(ROWS * c), |x, out| {
            out.chunks(c, x.chunks_exact(c), |x, out| {
                let log_sum = log_sum_exp(x);
                out.write(x.iter().map(|&x| (f64::from(x) - log_sum) as f32))
            })
        }))
    })?;
    record(&[xs], values, xs.shape(), move |ys, grad, _| {
        let dx = with_values(ys, |y| {
            with_values(grad, |dy| {
                let rows = y.par_chunks_exact(c).zip(dy.par_chunks_exact(c));
                Ok(fill(y.len(), c, rows, |(y, dy), dx| {
                    let sum: f64 = dy.iter().map(|&dy| f64::from(dy)).sum();
                    dx.write(y.iter().zip(dy).map(|(y, dy)| dy - y.exp() * sum as f32))
                }))
            })
        })?;
        Ok(vec![Some(Tensor::from_vec(dx, ys.shape(), &Device::Cpu)?)])
    })
}

/// The cross entropy of each row of logits. PyTorch's `F.cross_entropy(reduction="none")`.
///
/// # Shapes
/// `logits` `[N, C]`, `labels` `[N]` (`u32`) → `[N]`
///
/// # Errors
/// When the shapes do not fit together, or a label is not a class.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let (n, c) = logits.dims2()?;
    let classes: Vec<u32> = labels.to_dtype(DType::U32)?.to_vec1()?;
    if n * c == 0 || classes.len() != n || classes.iter().any(|&class| class as usize >= c) {
        candle_core::bail!(
            "cross_entropy: logits {:?} and labels {:?} below {c} expected",
            logits.dims(),
            labels.dims()
        );
    }
    if !fast(logits) {
        return log_softmax(logits)?.gather(&labels.to_dtype(DType::U32)?.unsqueeze(1)?, 1)?.squeeze(1)?.neg();
    }
    let (values, log_sums): (Vec<f32>, Vec<f64>) = with_values(logits, |x| {
        let rows = x.par_chunks_exact(c).zip(&classes).with_min_len(ROWS);
        Ok(rows
            .map(|(x, &class)| {
                let sum = log_sum_exp(x);
                ((sum - f64::from(x[class as usize])) as f32, sum)
            })
            .unzip())
    })?;
    let xs = logits.clone();
    record(&[logits], values, n, move |_, grad, _| {
        let dx = with_values(&xs, |x| {
            with_values(grad, |dy| {
                let rows = x.par_chunks_exact(c).zip(dy).zip(&log_sums).zip(&classes).with_min_len(ROWS);
                Ok(fill(n * c, c, rows, |(((x, &dy), &sum), &class), dx| {
                    let dx = dx.write(x.iter().map(|&x| (f64::from(x) - sum).exp() as f32 * dy));
                    dx[class as usize] -= dy;
                    dx
                }))
            })
        })?;
        Ok(vec![Some(Tensor::from_vec(dx, (n, c), &Device::Cpu)?)])
    })
}

/// The mean cross entropy of rows of logits, weighted by the weights of their classes and without rows of the class
/// `ignored`. PyTorch's `F.cross_entropy(weight, ignore_index)`, except that the mean of no rows is 0, not NaN. The
/// gradient is computed in the same pass.
///
/// # Shapes
/// `logits` `[.., C]`, `labels` `[..]` (`u32`) → `[]`
///
/// # Errors
/// When the shapes do not fit together, or a label is not a class.
pub fn mean_cross_entropy(
    logits: &Tensor,
    labels: &Tensor,
    weights: Option<&[f64]>,
    ignored: Option<u32>,
) -> Result<Tensor> {
    let c = width(logits)?;
    let classes: Vec<u32> = labels.to_dtype(DType::U32)?.flatten_all()?.to_vec1()?;
    let leading = &logits.dims()[..logits.rank() - 1];
    let no_class = classes.iter().find(|&&class| class as usize >= c);
    if labels.dims() != leading || no_class.is_some() || weights.is_some_and(|weights| weights.len() != c) {
        candle_core::bail!(
            "mean_cross_entropy: logits {:?}, labels {:?} below {c} and as many weights expected (got label \
             {no_class:?}, weights {weights:?})",
            logits.dims(),
            labels.dims()
        );
    }
    let weight_of = |class: u32| match weights {
        _ if ignored == Some(class) => 0.0,
        Some(weights) => weights[class as usize],
        None => 1.0,
    };
    let total: f64 = classes.iter().map(|&class| weight_of(class)).sum();
    let scale = if total == 0.0 { 0.0 } else { 1.0 / total };
    if !fast(logits) {
        let rows = logits.reshape((classes.len(), c))?;
        let shares: Vec<f64> = classes.iter().map(|&class| weight_of(class) * scale).collect();
        let shares = Tensor::new(shares, logits.device())?.to_dtype(logits.dtype())?;
        let labels = Tensor::new(classes, logits.device())?.unsqueeze(1)?;
        return log_softmax(&rows)?.gather(&labels, 1)?.squeeze(1)?.mul(&shares)?.sum_all()?.neg();
    }
    let share = |class: u32| weight_of(class) * scale;
    let mut costs = vec![0.0; classes.len()];
    let gradient = with_values(logits, |x| {
        let rows = x.par_chunks(ROWS * c).zip(classes.par_chunks(ROWS)).zip(costs.par_chunks_mut(ROWS));
        if !tracked(&[logits]) {
            rows.for_each(|((x, classes), costs)| {
                vectorized!({
                    for ((x, &class), cost) in x.chunks_exact(c).zip(classes).zip(costs) {
                        let largest = largest(x);
                        let sum = reduce(x, 0.0, |x| exp(x - largest), |a, b| a + b);
                        *cost = share(class) * nll(x, class, largest, sum);
                    }
                })
            });
            return Ok(None);
        }
        Ok(Some(fill(x.len(), ROWS * c, rows, |((x, classes), costs), out| {
            vectorized!({
                out.chunks(c, x.chunks_exact(c).zip(classes).zip(costs), |((x, &class), cost), out| {
                    let (share, largest) = (share(class), largest(x));
                    let out = out.write(x.iter().map(|&x| exp(x - largest)));
                    let sum = reduce(out, 0.0, |x| x, |a, b| a + b);
                    *cost = share * nll(x, class, largest, sum);
                    let factor = share as f32 / sum;
                    out.iter_mut().for_each(|x| *x *= factor);
                    out[class as usize] -= share as f32;
                    out
                })
            })
        })))
    })?;
    let loss: f64 = costs.iter().sum();
    let shape = logits.shape().clone();
    let gradient = gradient.map(|gradient| Tensor::from_vec(gradient, &shape, &Device::Cpu)).transpose()?;
    record(&[logits], vec![loss as f32], (), move |_, grad, _| {
        let factor = f64::from(grad.flatten_all()?.to_vec1::<f32>()?[0]);
        gradient.iter().map(|dx| if factor == 1.0 { Ok(Some(dx.clone())) } else { (dx * factor).map(Some) }).collect()
    })
}

/// The cross entropy of one row with its class, by the row's largest value and the sum of the exponentials of the
/// differences from it. Infinite or NaN where a value is.
#[inline(always)]
fn nll(x: &[f32], class: u32, largest: f32, sum: f32) -> f64 {
    f64::from(sum).ln() + f64::from(largest) - f64::from(x[class as usize])
}

#[inline(always)]
pub(super) fn largest(x: &[f32]) -> f32 {
    reduce(x, f32::NEG_INFINITY, |x| x, f32::max)
}

/// Joins what `of` makes of the values, in sixteen lanes, so that vectors of any width join in the same order.
#[inline(always)]
pub(super) fn reduce(x: &[f32], start: f32, of: impl Fn(f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (blocks, rest) = x.as_chunks::<16>();
    let rest = rest.iter().fold(start, |joined, &x| join(joined, of(x)));
    let Some((first, blocks)) = blocks.split_first() else { return rest };
    let mut lanes = first.map(&of);
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane = join(*lane, of(x));
        }
    }
    lanes.into_iter().fold(rest, join)
}

/// `ln Σ exp(x)`. Infinite for a row with an infinity, NaN for one with a NaN.
fn log_sum_exp(x: &[f32]) -> f64 {
    let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if !largest.is_finite() {
        return x.iter().map(|&x| f64::from(x)).fold(f64::from(largest), |sum, x| if x.is_nan() { x } else { sum });
    }
    let sum: f64 = x.iter().map(|&x| f64::from(x - largest).exp()).sum();
    f64::from(largest) + sum.ln()
}

fn width(xs: &Tensor) -> Result<usize> {
    match xs.dims().last() {
        Some(&c) if xs.elem_count() > 0 => Ok(c),
        _ => candle_core::bail!("log_softmax: nothing to normalise in a tensor of shape {:?}", xs.dims()),
    }
}
