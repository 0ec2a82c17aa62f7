//! Softmax in its logarithm, and the cross entropy that is made of it. Both subtract the largest value first, so
//! nothing overflows. candle's `softmax_last_dim` has no gradient.

use super::blank::fill;
use super::graph::record;
use super::{fast, with_values};
use candle_core::{D, DType, Device, Result, Tensor};
use rayon::prelude::*;

/// Rows that one task works through.
const ROWS: usize = 64;

/// `ln(softmax(xs))` over the last axis. PyTorch's `log_softmax(dim=-1)`.
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

/// The cross entropy of each row of logits `[N, C]` with its class `[N]` (`u32`), `[N]`. PyTorch's
/// `F.cross_entropy(reduction="none")`.
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
