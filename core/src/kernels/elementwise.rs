//! Value by value: ReLU and sums. ReLU's gradient at exactly 0 is 0, as in PyTorch (candle's is 1).

use super::graph::record;
use super::shared::uninit;
use super::simd::dispatch;
use super::{fast, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// `max(x, 0)`, of any shape. NaN stays NaN.
///
/// # Errors
/// When the device refuses.
pub fn relu(xs: &Tensor) -> Result<Tensor> {
    if !fast(xs) {
        return portable_relu(xs);
    }
    record(&[xs], map(xs, |x| if x <= 0.0 { 0.0 } else { x })?, xs.shape(), |ys, grad, _| {
        let grad = zip(ys, grad, |y, grad| if y == 0.0 { 0.0 } else { grad })?;
        Ok(vec![Some(Tensor::from_vec(grad, ys.shape(), &Device::Cpu)?)])
    })
}

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

/// `max(a + b, 0)`: the end of a residual block, in one pass.
///
/// # Errors
/// When the shapes differ.
pub fn add_relu(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    same_shape("add_relu", a, b)?;
    if !(fast(a) && fast(b)) {
        return portable_relu(&(a + b)?);
    }
    let values = zip(a, b, |a, b| if a + b <= 0.0 { 0.0 } else { a + b })?;
    record(&[a, b], values, a.shape(), |ys, grad, wanted| {
        let grad = zip(ys, grad, |y, grad| if y == 0.0 { 0.0 } else { grad })?;
        let grad = Tensor::from_vec(grad, ys.shape(), &Device::Cpu)?;
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

/// With a mask instead of candle's `relu`, so that the gradient at 0 is 0. NaN is not `<= 0` and stays.
fn portable_relu(xs: &Tensor) -> Result<Tensor> {
    xs.le(0.0)?.where_cond(&xs.zeros_like()?, xs)
}

fn same_shape(name: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.shape() != b.shape() {
        candle_core::bail!("{name}: shapes {:?} and {:?} differ", a.dims(), b.dims());
    }
    Ok(())
}

/// `f` of every value.
pub(super) fn map(xs: &Tensor, f: impl Fn(f32) -> f32 + Sync) -> Result<Vec<f32>> {
    with_values(xs, |xs| {
        let mut out = uninit(xs.len());
        out.par_chunks_mut(BLOCK).zip(xs.par_chunks(BLOCK)).for_each(|(out, xs)| {
            dispatch(|| out.iter_mut().zip(xs).for_each(|(out, &x)| *out = f(x)));
        });
        Ok(out)
    })
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
