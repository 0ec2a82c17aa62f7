//! The optimizers' arithmetic, in place: no copies of the parameters are made on the CPU.

use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Var};
use candle_core::{DType, Tensor};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// Computes `y ← keep·y + scale·x` in place.
///
/// # Errors
/// When the shapes or types differ.
pub fn scale_add(y: &Var, keep: f64, scale: f64, x: &Tensor) -> Result<()> {
    if in_place(y) {
        return y.inplace_op2(
            &x.contiguous()?,
            &Update2(|y: f64, x: f64| keep * y + scale * x, |y: f32, x: f32| keep as f32 * y + scale as f32 * x),
        );
    }
    y.set(&((y.as_tensor() * keep)? + (x * scale)?)?)
}

/// Computes `y ← y + scale·x` in place.
///
/// # Errors
/// When the shapes or types differ.
pub fn add_scaled(y: &Var, scale: f64, x: &Tensor) -> Result<()> {
    scale_add(y, 1.0, scale, x)
}

/// Updates the running average of squared gradients, `v ← sqr_mom·v + (1 - sqr_mom)·g²`, in place.
///
/// # Errors
/// When the shapes or types differ.
pub fn square_average(v: &Var, sqr_mom: f64, g: &Tensor) -> Result<()> {
    if in_place(v) {
        let (keep, take) = (sqr_mom, 1.0 - sqr_mom);
        let (keep32, take32) = (keep as f32, take as f32);
        let update = Update2(|v: f64, g: f64| keep * v + take * g * g, |v: f32, g: f32| keep32 * v + take32 * g * g);
        return v.inplace_op2(&g.contiguous()?, &update);
    }
    v.set(&((v.as_tensor() * sqr_mom)? + (g.sqr()? * (1.0 - sqr_mom))?)?)
}

/// Takes Adam's step, `p ← p - rate·m / (√(v / debias) + eps)`, in place.
///
/// # Errors
/// When the shapes or types differ.
pub fn adam_step(p: &Var, m: &Tensor, v: &Tensor, rate: f64, debias: f64, eps: f64) -> Result<()> {
    if in_place(p) {
        return p.inplace_op3(&m.contiguous()?, &v.contiguous()?, &AdamStep { rate, debias, eps });
    }
    p.set(&(p.as_tensor() - ((m * rate)? / ((v / debias)?.sqrt()? + eps)?)?)?)
}

fn in_place(y: &Var) -> bool {
    y.device().is_cpu() && matches!(y.dtype(), DType::F32 | DType::F64) && y.is_contiguous()
}

/// The same update for `f64` and for `f32`.
struct Update2<F, G>(F, G);

impl<F, G> InplaceOp2 for Update2<F, G>
where
    F: Fn(f64, f64) -> f64 + Sync,
    G: Fn(f32, f32) -> f32 + Sync,
{
    fn name(&self) -> &'static str {
        "update2"
    }

    fn cpu_fwd(&self, y: &mut CpuStorage, yl: &Layout, x: &CpuStorage, xl: &Layout) -> Result<()> {
        let (y_range, x_range) = (range(yl)?, same_len(yl, xl)?);
        match (y, x) {
            (CpuStorage::F32(y), CpuStorage::F32(x)) => zip2(&mut y[y_range], &x[x_range], &self.1),
            (CpuStorage::F64(y), CpuStorage::F64(x)) => zip2(&mut y[y_range], &x[x_range], &self.0),
            _ => candle_core::bail!("an optimizer step wants two tensors of f32 or two of f64"),
        }
        Ok(())
    }
}

struct AdamStep {
    rate: f64,
    debias: f64,
    eps: f64,
}

impl InplaceOp3 for AdamStep {
    fn name(&self) -> &'static str {
        "adam_step"
    }

    fn cpu_fwd(
        &self,
        p: &mut CpuStorage,
        pl: &Layout,
        m: &CpuStorage,
        ml: &Layout,
        v: &CpuStorage,
        vl: &Layout,
    ) -> Result<()> {
        let (pr, mr, vr) = (range(pl)?, same_len(pl, ml)?, same_len(pl, vl)?);
        let &AdamStep { rate, debias, eps } = self;
        match (p, m, v) {
            (CpuStorage::F32(p), CpuStorage::F32(m), CpuStorage::F32(v)) => {
                let (rate, debias, eps) = (rate as f32, debias as f32, eps as f32);
                let step = |p: f32, m: f32, v: f32| p - rate * m / ((v / debias).sqrt() + eps);
                zip3(&mut p[pr], &m[mr], &v[vr], &step);
            }
            (CpuStorage::F64(p), CpuStorage::F64(m), CpuStorage::F64(v)) => {
                let step = |p: f64, m: f64, v: f64| p - rate * m / ((v / debias).sqrt() + eps);
                zip3(&mut p[pr], &m[mr], &v[vr], &step);
            }
            _ => candle_core::bail!("an optimizer step wants tensors of f32 or of f64"),
        }
        Ok(())
    }
}

fn range(layout: &Layout) -> Result<std::ops::Range<usize>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(start..end),
        None => candle_core::bail!("an optimizer step wants contiguous tensors, not {layout:?}"),
    }
}

fn same_len(y: &Layout, x: &Layout) -> Result<std::ops::Range<usize>> {
    if y.shape() != x.shape() {
        candle_core::bail!("an optimizer step got shapes {:?} and {:?}", y.shape(), x.shape());
    }
    range(x)
}

fn zip2<T: Copy + Send + Sync>(y: &mut [T], x: &[T], f: &(impl Fn(T, T) -> T + Sync)) {
    y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| {
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(*y, x));
    });
}

fn zip3<T: Copy + Send + Sync>(y: &mut [T], a: &[T], b: &[T], f: &(impl Fn(T, T, T) -> T + Sync)) {
    y.par_chunks_mut(BLOCK).zip(a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK))).for_each(|(y, (a, b))| {
        y.iter_mut().zip(a.iter().zip(b)).for_each(|(y, (&a, &b))| *y = f(*y, a, b));
    });
}
