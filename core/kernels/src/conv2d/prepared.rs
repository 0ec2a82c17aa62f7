//! A convolution whose weights are packed once, for inference.

use super::depthwise::{self, by_tap};
use super::geometry::Geometry;
use super::winograd::{F4x4, Way};
use super::{ConvParams, check_bias, check_residual, forward, pack};
use crate::activation::Activation;
use crate::simd::vectorized;
use crate::tiles::{Epilogue, PackedB, are_few, few_rows, whole_registers};
use crate::{fast, with_optional, with_values};
use candle_core::{Device, Result, Tensor};
use std::sync::OnceLock;

/// A convolution ready to run many times outside of any gradient's graph: its weights are packed, and what follows it,
/// a sum with a shortcut and an activation, is computed on its way out.
pub struct PreparedConv {
    weight: Tensor,
    bias: Option<Tensor>,
    /// Made when first used: which of them it will be depends on the size of the images.
    direct: OnceLock<Vec<PackedB>>,
    by_tap: OnceLock<Vec<f32>>,
    whole_bias: OnceLock<Vec<f32>>,
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
        Ok(PreparedConv {
            weight,
            bias,
            direct: OnceLock::new(),
            by_tap: OnceLock::new(),
            whole_bias: OnceLock::new(),
            winograd: OnceLock::new(),
        })
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
        if !fast(xs) {
            candle_core::bail!("a prepared convolution got {xs:?}");
        }
        let shape = [g.n, g.oh, g.ow, g.outputs()];
        check_residual(residual, &shape)?;
        let values = with_values(xs, |x| {
            with_optional(residual, |residual| {
                let (bias, epilogue) =
                    (self.bias()?.map(|bias| &bias[..g.outputs()]), Epilogue { residual, activation });
                Ok(if g.depthwise() {
                    depthwise::forward(&g, x, self.by_tap(&g)?, bias, Some(&epilogue))
                } else if let Some(winograd) = F4x4::of(&g) {
                    let pack = || with_values(&self.weight, |w| Ok(winograd.pack(w, Way::Forward)));
                    winograd.run(x, made(&self.winograd, pack)?, bias, Some(&epilogue))
                } else {
                    forward(&g, x, self.direct(&g)?, bias, Some(&epilogue))
                })
            })
        })?;
        Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)
    }

    /// The same for a fully connected layer, whose weight was given as `[O, C, 1, 1]`:
    /// `activation(linear(xs) + residual)`.
    ///
    /// # Shapes
    /// `xs` `[.., C]` and `residual` `[.., O]` → `[.., O]`
    ///
    /// # Errors
    /// When the weight is another convolution's, and as [`PreparedConv::run`].
    pub fn linear(&self, xs: &Tensor, residual: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
        let k = xs.dims().last().copied().unwrap_or(0);
        let rows = xs.elem_count() / k.max(1);
        let g = Geometry::new(&[1, rows, 1, k], self.weight.dims(), &ConvParams::new(1, 0))?;
        if !(fast(xs) && g.pointwise()) {
            candle_core::bail!("a prepared layer of weight {:?} got {xs:?}", self.weight.dims());
        }
        let shape: Vec<usize> = xs.dims()[..xs.rank() - 1].iter().copied().chain([g.outputs()]).collect();
        check_residual(residual, &shape)?;
        let values = with_values(xs, |x| {
            with_optional(residual, |residual| {
                let (bias, epilogue) =
                    (self.bias()?.map(|bias| &bias[..g.outputs()]), Epilogue { residual, activation });
                if !are_few(rows, g.outputs()) {
                    return Ok(forward(&g, x, self.direct(&g)?, bias, Some(&epilogue)));
                }
                let mut values = with_values(&self.weight, |w| Ok(few_rows(x, w, bias, k)))?;
                vectorized!(epilogue.apply(0, &mut values));
                Ok(values)
            })
        })?;
        Tensor::from_vec(values, shape, &Device::Cpu)
    }

    pub(super) fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The bias, filled up to whole registers.
    pub(super) fn bias(&self) -> Result<Option<&[f32]>> {
        let fill = |bias: &Tensor| with_values(bias, |bias| Ok(whole_registers(bias)));
        let bias = self.bias.as_ref().map(|bias| made(&self.whole_bias, || fill(bias)));
        Ok(bias.transpose()?.map(Vec::as_slice))
    }

    /// The weights for products, one matrix for each group.
    pub(super) fn direct(&self, g: &Geometry) -> Result<&[PackedB]> {
        let panels = made(&self.direct, || with_values(&self.weight, |w| Ok(pack::<f32>(g, w))))?;
        if panels.len() != g.groups {
            candle_core::bail!("a convolution was prepared for {} groups, and got {}", panels.len(), g.groups);
        }
        Ok(panels)
    }

    /// The weights of a depthwise convolution.
    pub(super) fn by_tap(&self, g: &Geometry) -> Result<&[f32]> {
        made(&self.by_tap, || with_values(&self.weight, |w| Ok(by_tap(w, g.channels(), g.taps())))).map(Vec::as_slice)
    }
}

/// What is in the cell already, or what `make` puts there.
fn made<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(there) = cell.get() {
        return Ok(there);
    }
    let new = make()?;
    Ok(cell.get_or_init(|| new))
}
