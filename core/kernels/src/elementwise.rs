//! Sums, value by value.

use super::graph::record;
use super::shared::uninit;
use super::simd::dispatch;
use super::{fast, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// `a + b`, of the same shape.
///
/// # Errors
/// When the shapes differ.
pub fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    same_shape("add", a, b)?;
    if !(fast(a) && fast(b)) {
        return a + b;
    }
    record(&[a, b], zip(a, b, |a, b| a + b)?, a.shape(), |_, grad, wanted| {
        Ok(wanted.iter().map(|wanted| wanted.then(|| grad.clone())).collect())
    })
}

/// `a + b` outside of any graph.
pub(super) fn sum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !(fast(a) && fast(b)) || a.shape() != b.shape() {
        return a + b;
    }
    Tensor::from_vec(zip(a, b, |a, b| a + b)?, a.shape(), &Device::Cpu)
}

fn same_shape(name: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.shape() != b.shape() {
        candle_core::bail!("{name}: shapes {:?} and {:?} differ", a.dims(), b.dims());
    }
    Ok(())
}

/// `f` of every pair of values.
pub(super) fn zip(a: &Tensor, b: &Tensor, f: impl Fn(f32, f32) -> f32 + Sync) -> Result<Vec<f32>> {
    with_values(a, |a| {
        with_values(b, |b| {
            let mut out = uninit(a.len());
            out.par_chunks_mut(BLOCK).zip(a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK))).for_each(|(out, (a, b))| {
                dispatch(|| out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out = f(a, b)));
            });
            Ok(out)
        })
    })
}
