//! A convolution whose weights are packed once, for inference.

use super::geometry::Geometry;
use super::winograd::{self, Winograd};
use super::{Conv, check_bias, depthwise, forward, pack};
use crate::kernels::activation::Activation;
use crate::kernels::tiles::{Finish, Panels};
use crate::kernels::{with_optional, with_values};
use candle_core::{Device, Result, Tensor};
use std::sync::OnceLock;

/// A convolution ready to run many times outside of any gradient's graph: its weights are packed, and what follows it,
/// a sum with a shortcut and an activation, is computed on its way out.
pub struct PreparedConv {
    weight: Tensor,
    bias: Option<Tensor>,
    conv: Conv,
    /// Packed when first used: which of the two it will be depends on the size of the images.
    direct: OnceLock<Vec<Panels>>,
    winograd: OnceLock<Panels>,
}

impl PreparedConv {
    /// Packs `weight` `[O, C / groups, kh, kw]`.
    ///
    /// # Errors
    /// When the shapes do not fit together.
    pub fn new(weight: &Tensor, bias: Option<&Tensor>, conv: &Conv) -> Result<PreparedConv> {
        let (outputs, ci, kh, kw) = weight.dims4()?;
        check_bias(bias, outputs)?;
        let (weight, bias) = (weight.detach(), bias.map(Tensor::detach));
        // The smallest image that the kernel fits, to see whether the rest fits together.
        let smallest = [1, conv.dilation[0] * (kh - 1) + 1, conv.dilation[1] * (kw - 1) + 1, ci * conv.groups];
        Geometry::new(&smallest, weight.dims(), conv)?;
        Ok(PreparedConv { weight, bias, conv: *conv, direct: OnceLock::new(), winograd: OnceLock::new() })
    }

    /// `activation(conv2d(xs) + residual)`. Gradients do not flow through it.
    ///
    /// # Errors
    /// As [`super::conv2d`], and when `residual` has not the result's shape.
    pub fn run(&self, xs: &Tensor, residual: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
        let g = Geometry::new(xs.dims(), self.weight.dims(), &self.conv)?;
        let shape = [g.n, g.oh, g.ow, g.outputs()];
        if let Some(residual) = residual.filter(|residual| residual.dims() != shape) {
            candle_core::bail!("conv2d: a residual of shape {:?} for a result of shape {shape:?}", residual.dims());
        }
        let values = with_values(xs, |x| {
            with_optional(self.bias.as_ref(), |bias| {
                with_optional(residual, |residual| {
                    let finish = Finish { residual, activation };
                    with_values(&self.weight, |w| {
                        Ok(if g.depthwise() {
                            depthwise::forward(&g, x, w, bias, Some(&finish))
                        } else if let Some(winograd) = Winograd::of(&g) {
                            let panels = self.winograd.get_or_init(|| winograd::pack(w, g.co, g.ci));
                            winograd.run(x, panels, bias, Some(&finish))
                        } else {
                            forward(&g, x, self.direct.get_or_init(|| pack(&g, w)), bias, Some(&finish))
                        })
                    })
                })
            })
        })?;
        Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)
    }
}
