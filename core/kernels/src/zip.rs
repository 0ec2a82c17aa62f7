//! A function of pairs of values, outside of any graph.

use super::simd::vectorized;
use super::values::{Values, fill_as};
use super::{fast, with_stored};
use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// `f` of every pair of values of two CPU tensors, of the first one's type.
pub(super) fn zip(a: &Tensor, b: &Tensor, f: impl Fn(f32, f32) -> f32 + Sync) -> Result<Values> {
    with_stored(a, |a| {
        with_stored(b, |b| {
            let starts = (0..a.len()).into_par_iter().step_by(BLOCK);
            Ok(fill_as(a.dtype(), a.len(), BLOCK, starts, |start, out| {
                let range = start..start + out.len();
                let (a, b) = (a.part(range.clone()), b.part(range));
                vectorized!(out.write(a.iter().zip(&*b).map(|(&a, &b)| f(a, b))))
            }))
        })
    })
}

/// `a + b`.
pub(super) fn sum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !(fast(a) && fast(b)) || a.shape() != b.shape() {
        return a + b;
    }
    zip(a, b, |a, b| a + b)?.tensor(a.shape())
}
