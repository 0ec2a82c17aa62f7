//! Gradient clipping.

use crate::error::Result;
use crate::nn::Param;
use candle_core::DType;
use candle_core::backprop::GradStore;

/// Scales all gradients down by one factor so that their norm, taken over all of them together, is at most `max_norm`,
/// and gives the norm that they had. PyTorch's `clip_grad_norm_` (Pascanu et al., 2013).
///
/// As there, a norm that is not a number makes all gradients so, and an infinite one makes them 0 or NaN: no step is
/// taken by half, and the loss after it tells.
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
