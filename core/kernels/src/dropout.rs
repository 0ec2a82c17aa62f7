//! Dropping at random.

use super::fast;
use super::graph::record;
use super::zip::zip;
use candle_core::{Device, Result, Tensor};

/// `xs` times a mask of the same length, of zeros and of what makes up for them, which has no gradient. The mask comes from
/// the caller, who has a random stream of its own: candle's cannot be seeded on a CPU.
///
/// # Errors
/// When the mask has another length.
pub fn dropout(xs: &Tensor, mask: Vec<f32>) -> Result<Tensor> {
    if mask.len() != xs.elem_count() {
        candle_core::bail!("dropout: a mask of {} values for an input of shape {:?}", mask.len(), xs.dims());
    }
    let mask = Tensor::from_vec(mask, xs.shape(), &Device::Cpu)?;
    if !fast(xs) {
        return xs * mask.to_device(xs.device())?.to_dtype(xs.dtype())?;
    }
    record(&[xs], zip(xs, &mask, |x, m| x * m)?, xs.shape(), move |_, grad, _| {
        Ok(vec![Some(Tensor::from_vec(zip(grad, &mask, |dy, m| dy * m)?, grad.shape(), &Device::Cpu)?)])
    })
}
