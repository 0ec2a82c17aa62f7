//! ReLU, alone and after a residual addition. Its gradient at exactly 0 is 0, as in PyTorch (candle's is 1).

use super::{fast, values, with_values};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// `max(x, 0)`, of any shape. NaN stays NaN.
///
/// # Errors
/// When the device refuses.
pub fn relu(xs: &Tensor) -> Result<Tensor> {
    if fast(xs) { xs.contiguous()?.apply_op1(Relu) } else { portable(xs) }
}

/// `max(a + b, 0)`: the end of a residual block, in one pass.
///
/// # Errors
/// When the shapes differ.
pub fn add_relu(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.shape() != b.shape() {
        candle_core::bail!("add_relu: shapes {:?} and {:?} differ", a.shape(), b.shape());
    }
    if fast(a) && fast(b) { a.contiguous()?.apply_op2(&b.contiguous()?, AddRelu) } else { portable(&(a + b)?) }
}

/// With a mask instead of candle's `relu`, so that the gradient at 0 is 0. NaN is not `<= 0` and stays.
fn portable(xs: &Tensor) -> Result<Tensor> {
    xs.le(0.0)?.where_cond(&xs.zeros_like()?, xs)
}

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(x, layout)?.to_vec();
        out.par_chunks_mut(BLOCK).for_each(|out| out.iter_mut().for_each(|v| *v = positive(*v)));
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(masked(y, grad)?))
    }
}

struct AddRelu;

impl CustomOp2 for AddRelu {
    fn name(&self) -> &'static str {
        "add_relu"
    }

    fn cpu_fwd(&self, a: &CpuStorage, al: &Layout, b: &CpuStorage, bl: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(a, al)?.to_vec();
        out.par_chunks_mut(BLOCK).zip(values(b, bl)?.par_chunks(BLOCK)).for_each(|(out, b)| {
            out.iter_mut().zip(b).for_each(|(v, b)| *v = positive(*v + b));
        });
        Ok((CpuStorage::F32(out), al.shape().clone()))
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, y: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = masked(y, grad)?;
        Ok((a.track_op().then(|| grad.clone()), b.track_op().then_some(grad)))
    }
}

/// Not `f32::max`, which would swallow NaN.
fn positive(v: f32) -> f32 {
    if v <= 0.0 { 0.0 } else { v }
}

fn masked(y: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let grads = with_values(y, |y| {
        with_values(grad, |grad| {
            let mut out = grad.to_vec();
            out.par_chunks_mut(BLOCK).zip(y.par_chunks(BLOCK)).for_each(|(out, y)| {
                out.iter_mut().zip(y).for_each(|(g, y)| *g = if *y == 0.0 { 0.0 } else { *g });
            });
            Ok(out)
        })
    })?;
    Tensor::from_vec(grads, y.shape(), y.device())
}
