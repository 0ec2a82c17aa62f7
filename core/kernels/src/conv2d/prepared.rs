//! A convolution whose weights are packed once, for inference.

use super::geometry::Geometry;
use super::winograd::{F4x4, Way};
use super::{ConvParams, check_bias, check_residual, depthwise, forward, pack};
use crate::activation::Activation;
use crate::tiles::{Epilogue, PackedB};
use crate::{fast, with_optional, with_values};
use candle_core::{Device, Result, Tensor};
use std::sync::OnceLock;

/// A convolution ready to run many times outside of any gradient's graph: its weights are packed, and what follows it,
/// a sum with a shortcut and an activation, is computed on its way out.
pub struct PreparedConv {
    weight: Tensor,
    bias: Option<Tensor>,
    /// Packed when first used: which of the two it will be depends on the size of the images.
    direct: OnceLock<Vec<PackedB>>,
    winograd: OnceLock<PackedB>,
}

impl PreparedConv {
    /// Takes `weight` `[O, C / groups, kh, kw]` and `bias` `[O]`, `f32` in CPU memory.
    ///
    /// # Errors
    /// When the bias has another length, or a tensor another type or place.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>) -> Result<PreparedConv> {
        check_bias(bias, weight.dims4()?.0)?;
        if !(fast(weight) && bias.is_none_or(fast)) {
            candle_core::bail!("a convolution is prepared from f32 tensors in CPU memory, not from {weight:?}");
        }
        let (weight, bias) = (weight.detach(), bias.map(Tensor::detach));
        Ok(PreparedConv { weight, bias, direct: OnceLock::new(), winograd: OnceLock::new() })
    }

    /// `activation(conv2d(xs) + residual)`. Gradients do not flow through it. All calls must have the same groups.
    ///
    /// # Errors
    /// As [`super::conv2d`], and when `residual` has not the result's shape.
    pub fn run(
        &self,
        xs: &Tensor,
        conv: &ConvParams,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let g = Geometry::new(xs.dims(), self.weight.dims(), conv)?;
        if !fast(xs) || self.direct.get().is_some_and(|panels| panels.len() != g.groups) {
            candle_core::bail!("a prepared convolution got {xs:?} in {} groups", g.groups);
        }
        let shape = [g.n, g.oh, g.ow, g.outputs()];
        check_residual(residual, &shape)?;
        let values = with_values(xs, |x| {
            with_optional(self.bias.as_ref(), |bias| {
                with_optional(residual, |residual| {
                    let epilogue = Epilogue { residual, activation };
                    with_values(&self.weight, |w| {
                        Ok(if g.depthwise() {
                            depthwise::forward(&g, x, w, bias, Some(&epilogue))
                        } else if let Some(winograd) = F4x4::of(&g) {
                            let panels = self.winograd.get_or_init(|| winograd.pack(w, Way::Forward));
                            winograd.run(x, panels, bias, Some(&epilogue))
                        } else {
                            forward(&g, x, self.direct.get_or_init(|| pack(&g, w)), bias, Some(&epilogue))
                        })
                    })
                })
            })
        })?;
        Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)
    }
}
