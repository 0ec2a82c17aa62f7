//! The optimizers' steps, each in one pass over a parameter, its averages and its gradient, in place.

use super::in_place::{is_in_place, mutate_all};
use super::simd::vectorized;
use super::with_values;
use candle_core::{Result, Tensor, Var};
use rayon::prelude::*;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// The weight decay of a step.
#[derive(Debug, Clone, Copy)]
pub struct Decay {
    /// Every value is multiplied by this before the step: `1 - lr·wd` of decoupled weight decay, else 1.
    pub keep: f64,
    /// So much of a value is added to its gradient: PyTorch's `weight_decay`, else 0.
    pub l2: f64,
}

/// The settings of a step of Adam.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// The number of this step, from 1. Only [`adam_rows`](super::adam_rows) asks for it.
    pub step: u32,
    /// The first beta.
    pub mom: f64,
    /// The second beta.
    pub sqr_mom: f64,
    /// The learning rate, divided by the first average's correction.
    pub rate: f64,
    /// The second average's correction.
    pub debias: f64,
    /// Added to the denominator.
    pub eps: f64,
}

/// The settings of a step of stochastic gradient descent.
#[derive(Debug, Clone, Copy)]
pub struct SgdStep {
    /// The learning rate.
    pub lr: f64,
    /// Momentum, not dampened; 0 if there are no averages.
    pub mom: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
}

/// Takes Adam's step on a parameter `p` with its running averages `m` and `v` and its gradient `g`, in place. PyTorch's
/// `torch.optim.Adam` and `AdamW`.
///
/// ```text
/// g ← g + l2·p
/// m ← mom·m + (1 - mom)·g
/// v ← sqr_mom·v + (1 - sqr_mom)·g²
/// p ← keep·p - rate·m / (√(v / debias) + eps)
/// ```
///
/// # Errors
/// When shapes or types differ; then nothing is changed.
pub fn adam_step(p: &Var, [m, v]: [&Var; 2], g: &Tensor, decay: Decay, adam: &AdamStep) -> Result<()> {
    check("adam_step", p, &[m, v], g)?;
    let &AdamStep { mom, sqr_mom, rate, debias, eps, .. } = adam;
    if ![p, m, v].into_iter().all(is_in_place) {
        // All is computed before anything is set: memory may end on the way.
        let g = decay.of(p, g)?;
        let new_m = ((m.as_tensor() * mom)? + (&g * (1.0 - mom))?)?;
        let new_v = ((v.as_tensor() * sqr_mom)? + (g.sqr()? * (1.0 - sqr_mom))?)?;
        let step = ((&new_m * rate)? / ((&new_v / debias)?.sqrt()? + eps)?)?;
        let new_p = ((p.as_tensor() * decay.keep)? - step)?;
        return [(m, new_m), (v, new_v), (p, new_p)].iter().try_for_each(|(var, new)| var.set(new));
    }
    let (keep, l2) = (decay.keep as f32, decay.l2 as f32);
    let (mom, take) = (mom as f32, (1.0 - mom) as f32);
    let (sqr_mom, sqr_take) = (sqr_mom as f32, (1.0 - sqr_mom) as f32);
    let (rate, debias, eps) = (rate as f32, debias as f32, eps as f32);
    each_block([p, m, v], g, |[p, m, v], g| {
        vectorized!({
            for (((p, m), v), &g) in p.iter_mut().zip(m).zip(v).zip(g) {
                let g = g + l2 * *p;
                *m = mom * *m + take * g;
                *v = sqr_mom * *v + sqr_take * g * g;
                *p = keep * *p - rate * *m / ((*v / debias).sqrt() + eps);
            }
        });
    })
}

/// Takes a step of stochastic gradient descent on a parameter `p` with its gradient `g`, in place; with momentum, if
/// there is a running `average` `a`. PyTorch's `torch.optim.SGD`.
///
/// ```text
/// g ← g + l2·p
/// a ← mom·a + g
/// p ← keep·p - lr·a                   without an average, p ← keep·p - lr·g
/// p ← keep·p - lr·g - lr·mom·a        Nesterov's
/// ```
///
/// # Errors
/// When shapes or types differ; then nothing is changed.
pub fn sgd_step(p: &Var, average: Option<&Var>, g: &Tensor, decay: Decay, sgd: &SgdStep) -> Result<()> {
    check("sgd_step", p, average.as_slice(), g)?;
    let &SgdStep { lr, mom, nesterov } = sgd;
    if !(is_in_place(p) && average.is_none_or(is_in_place)) {
        let g = decay.of(p, g)?;
        let new_average = average.map(|a| (a.as_tensor() * mom)? + &g).transpose()?;
        let step = match &new_average {
            None => (g * lr)?,
            Some(a) if nesterov => ((g * lr)? + (a * (lr * mom))?)?,
            Some(a) => (a * lr)?,
        };
        let new_p = ((p.as_tensor() * decay.keep)? - step)?;
        if let (Some(average), Some(new)) = (average, &new_average) {
            average.set(new)?;
        }
        return p.set(&new_p);
    }
    let (keep, l2) = (decay.keep as f32, decay.l2 as f32);
    let (along, lr, mom) = ((lr * mom) as f32, lr as f32, mom as f32);
    match average {
        None => each_block([p], g, |[p], g| {
            vectorized!(p.iter_mut().zip(g).for_each(|(p, g)| *p = keep * *p - lr * (g + l2 * *p)));
        }),
        Some(average) => each_block([p, average], g, |[p, a], g| {
            vectorized!({
                let values = p.iter_mut().zip(a).zip(g);
                if nesterov {
                    for ((p, a), g) in values {
                        let g = g + l2 * *p;
                        *a = mom * *a + g;
                        *p = keep * *p - lr * g - along * *a;
                    }
                } else {
                    for ((p, a), g) in values {
                        *a = mom * *a + (g + l2 * *p);
                        *p = keep * *p - lr * *a;
                    }
                }
            });
        }),
    }
}

/// Computes `y ← keep·y + scale·x` in place: a running average.
///
/// # Errors
/// When the shapes or types differ; then nothing is changed.
pub fn scale_add(y: &Var, keep: f64, scale: f64, x: &Tensor) -> Result<()> {
    check("scale_add", y, &[], x)?;
    if !is_in_place(y) {
        return y.set(&((y.as_tensor() * keep)? + (x * scale)?)?);
    }
    let (keep, scale) = (keep as f32, scale as f32);
    each_block([y], x, |[y], x| {
        vectorized!(y.iter_mut().zip(x).for_each(|(y, x)| *y = keep * *y + scale * x));
    })
}

impl Decay {
    /// The gradient with what the decay adds to it.
    fn of(&self, p: &Var, g: &Tensor) -> Result<Tensor> {
        if self.l2 == 0.0 { Ok(g.clone()) } else { g + (p.as_detached_tensor() * self.l2)? }
    }
}

fn check(what: &str, p: &Var, averages: &[&Var], g: &Tensor) -> Result<()> {
    let same = |of: &Tensor| of.shape() == p.shape() && of.dtype() == p.dtype();
    if !(averages.iter().all(|average| same(average)) && same(g)) {
        let of = |of: &Tensor| (of.dims().to_vec(), of.dtype());
        let averages: Vec<_> = averages.iter().map(|average| of(average)).collect();
        candle_core::bail!("{what}: a variable {:?}, averages {averages:?} and values {:?} differ", of(p), of(g));
    }
    Ok(())
}

/// Calls `f` with blocks of the variables and of the gradient. Few values are not worth another thread.
fn each_block<const A: usize>(vars: [&Var; A], g: &Tensor, f: impl Fn([&mut [f32]; A], &[f32]) + Sync) -> Result<()> {
    with_values(g, |g| {
        mutate_all(&vars, Vec::with_capacity(A), &mut |all| {
            let mut all: Vec<_> = all.into_iter().map(|values| values.chunks_mut(BLOCK)).collect();
            let blocks = g.chunks(BLOCK).map(|g| {
                let parts: [&mut [f32]; A] = std::array::from_fn(|i| all[i].next().unwrap_or_default());
                (parts, g)
            });
            let blocks: Vec<_> = blocks.collect();
            match blocks.len() {
                1 => blocks.into_iter().for_each(|(parts, g)| f(parts, g)),
                _ => blocks.into_par_iter().for_each(|(parts, g)| f(parts, g)),
            }
            Ok(())
        })
    })
}
