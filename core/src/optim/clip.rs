//! Gradient clipping.

use crate::error::Result;
use crate::nn::Param;
use candle_core::DType;
use candle_core::backprop::GradStore;

/// Clips gradients by their total norm and returns the norm before clipping. PyTorch's `clip_grad_norm_` (Pascanu et
/// al., 2013).
///
/// ```text
/// norm = √(Σ g²) over all gradients;   g ← g · min(1, max_norm / (norm + 1e-6))
/// ```
///
/// As in PyTorch, a norm of NaN makes all gradients NaN, and an infinite norm makes them 0 or NaN: the step is never
/// applied to some parameters only, and the next loss shows it.
///
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{ParamKind, Params};
/// use tallow::{autograd, optim::clip_grad_norm};
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&tallow::rng::Rng::new(42), &Device::Cpu);
/// let p = params.add("p", ParamKind::Weight, |_, device| Ok(Tensor::new(&[1.5f32, 2.], device)?))?;
/// let mut grads = autograd::backward(&p.tensor().sqr()?.sum_all()?)?; // [3, 4]
/// assert_eq!(clip_grad_norm(&params.all(), &mut grads, 1.0)?, 5.0);
/// let clipped = p.gradient(&grads)?.map(|g| g.to_vec1::<f32>()).transpose()?;
/// assert!(clipped.is_some_and(|g| (g[0] - 0.6).abs() < 1e-6 && (g[1] - 0.8).abs() < 1e-6));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When a tensor operation fails.
pub fn clip_grad_norm(params: &[Param], grads: &mut GradStore, max_norm: f64) -> Result<f64> {
    let with_gradient = || params.iter().filter(|p| p.trainable());
    let mut sum = 0.0;
    for grad in with_gradient().filter_map(|p| grads.get(p.var())) {
        sum += grad.detach().flatten_all()?.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?;
    }
    let norm = sum.sqrt();
    // PyTorch's epsilon. It multiplies by the factor even if that is 1, which changes nothing.
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        for param in with_gradient() {
            if let Some(grad) = grads.remove(param.var()) {
                grads.insert(param.var(), (grad.detach() * factor)?);
            }
        }
    }
    Ok(norm)
}
