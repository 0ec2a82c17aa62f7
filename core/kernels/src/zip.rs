//! A function of pairs of values, outside of any graph.

use super::blank::fill;
use super::simd::vectorized;
use super::{fast, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// `f` of every pair of values of two `f32` CPU tensors.
pub(super) fn zip(a: &Tensor, b: &Tensor, f: impl Fn(f32, f32) -> f32 + Sync) -> Result<Vec<f32>> {
    with_values(a, |a| {
        with_values(b, |b| {
            let blocks = a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK));
            Ok(fill(a.len(), BLOCK, blocks, |(a, b), out| {
                vectorized!(out.write(a.iter().zip(b).map(|(&a, &b)| f(a, b))))
            }))
        })
    })
}

/// `a + b`.
pub(super) fn sum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !(fast(a) && fast(b)) || a.shape() != b.shape() {
        return a + b;
    }
    Tensor::from_vec(zip(a, b, |a, b| a + b)?, a.shape(), &Device::Cpu)
}
