//! Binary cross entropy of logits, in the form that neither overflows nor loses digits.

use super::blank::fill;
use super::graph::record;
use super::simd::vectorized;
use super::zip::zip;
use super::{activation, fast, math, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// The binary cross entropy of each logit `x` with its target `y`, `max(x, 0) - x·y + ln(1 + exp(-|x|))`. PyTorch's
/// `F.binary_cross_entropy_with_logits(reduction="none")`; the targets get no gradient.
///
/// # Errors
/// When the shapes differ.
pub fn bce_with_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    if logits.shape() != targets.shape() {
        candle_core::bail!("bce_with_logits: logits {:?} and targets {:?} differ", logits.dims(), targets.dims());
    }
    let targets = targets.detach();
    if !(fast(logits) && fast(&targets)) {
        let positive = activation::relu(logits)?;
        // -|x| as x - 2·max(x, 0), whose gradient at 0 goes with that of `positive`.
        let minus_abs = (logits - (&positive * 2.0)?)?;
        return ((positive - (logits * targets)?)? + (minus_abs.exp()? + 1.0)?.log()?)?.contiguous();
    }
    let values = zip(logits, &targets, |x, y| x.max(0.0) - x * y + (-x.abs()).exp().ln_1p())?;
    let xs = logits.clone();
    record(&[logits], values, logits.shape(), move |_, grad, _| {
        /// Values that one task works through.
        const BLOCK: usize = 1 << 12;
        let dx = with_values(&xs, |x| {
            with_values(&targets, |y| {
                with_values(grad, |dy| {
                    let blocks = x.par_chunks(BLOCK).zip(y.par_chunks(BLOCK)).zip(dy.par_chunks(BLOCK));
                    Ok(fill(x.len(), BLOCK, blocks, |((x, y), dy), dx| {
                        let inputs = x.iter().zip(y).zip(dy);
                        vectorized!(dx.write(inputs.map(|((&x, y), dy)| (math::sigmoid(x) - y) * dy)))
                    }))
                })
            })
        })?;
        Ok(vec![Some(Tensor::from_vec(dx, xs.shape(), &Device::Cpu)?)])
    })
}
