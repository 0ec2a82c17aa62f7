//! Means of squares: the penalties on what a recurrent network gives.

use super::blank::fill;
use super::graph::record;
use super::simd::vectorized;
use super::{fast, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// Values whose squares are summed up in one go.
const BLOCK: usize = 1 << 12;

/// The mean of all values' squares, a scalar: what AR ("activation regularization", Merity et al., 2017) multiplies.
/// PyTorch's `xs.pow(2).mean()`.
///
/// # Errors
/// When there are no values.
pub fn mean_square(xs: &Tensor) -> Result<Tensor> {
    let n = xs.elem_count();
    if n == 0 {
        candle_core::bail!("mean_square: no values in {:?}", xs.dims());
    }
    if !fast(xs) {
        return xs.sqr()?.mean_all();
    }
    let sum: f64 = with_values(xs, |x| {
        Ok(x.par_chunks(BLOCK).map(|x| vectorized!(sum_of_squares(x.iter().copied()))).collect::<Vec<_>>())
    })?
    .iter()
    .sum();
    let x = xs.clone();
    record(&[xs], vec![(sum / n as f64) as f32], (), move |_, grad, _| {
        let factor = 2.0 * scalar(grad)? / n as f32;
        let dx = with_values(&x, |x| {
            Ok(fill(n, BLOCK, x.par_chunks(BLOCK), |x, dx| vectorized!(dx.write(x.iter().map(|x| factor * x)))))
        })?;
        Ok(vec![Some(Tensor::from_vec(dx, x.shape(), &Device::Cpu)?)])
    })
}

/// The mean of the squares of all changes from a step to the next, a scalar: what TAR ("temporal activation
/// regularization", Merity et al., 2017) multiplies. PyTorch's `(xs[:, 1:] - xs[:, :-1]).pow(2).mean()`.
///
/// # Shapes
/// `xs` `[N, T, C]`
///
/// # Errors
/// When `xs` is of another rank, or there are no changes: with less than two steps, or an axis of length 0.
pub fn mean_square_of_changes(xs: &Tensor) -> Result<Tensor> {
    let (batch, steps, c) = xs.dims3()?;
    if batch * c == 0 || steps < 2 {
        candle_core::bail!("mean_square_of_changes: {:?} has no two steps of values", xs.dims());
    }
    if !fast(xs) {
        return (xs.narrow(1, 1, steps - 1)? - xs.narrow(1, 0, steps - 1)?)?.sqr()?.mean_all();
    }
    let (size, n) = (steps * c, batch * (steps - 1) * c);
    let sum: f64 = with_values(xs, |x| {
        let changes = |x: &[f32]| {
            let pairs = x.chunks_exact(c).zip(x[c..].chunks_exact(c));
            pairs.map(|(a, b)| vectorized!(sum_of_squares(a.iter().zip(b).map(|(a, b)| b - a)))).sum()
        };
        Ok(x.par_chunks_exact(size).map(changes).collect::<Vec<f64>>())
    })?
    .iter()
    .sum();
    let x = xs.clone();
    record(&[xs], vec![(sum / n as f64) as f32], (), move |_, grad, _| {
        let factor = 2.0 * scalar(grad)? / n as f32;
        let dx = with_values(&x, |x| {
            Ok(fill(x.len(), size, x.par_chunks_exact(size), |x, dx| {
                dx.chunks(c, 0..steps, |step, dx| {
                    let at = |step: usize| &x[step * c..][..c];
                    // At either end there is a change on one side alone.
                    let (before, now, after) = (at(step.max(1) - 1), at(step), at((step + 1).min(steps - 1)));
                    let values = before.iter().zip(now).zip(after);
                    vectorized!(
                        dx.write(values.map(|((before, now), after)| factor * ((now - before) - (after - now))))
                    )
                })
            }))
        })?;
        Ok(vec![Some(Tensor::from_vec(dx, x.shape(), &Device::Cpu)?)])
    })
}

/// The sum of squares, in sixteen lanes.
#[inline(always)]
fn sum_of_squares(values: impl ExactSizeIterator<Item = f32>) -> f64 {
    let mut lanes = [0.0; 16];
    for (i, x) in values.enumerate() {
        lanes[i % 16] += x * x;
    }
    lanes.iter().map(|&lane| f64::from(lane)).sum()
}

fn scalar(grad: &Tensor) -> Result<f32> {
    with_values(grad, |grad| Ok(grad.first().copied().unwrap_or_default()))
}
