//! The fully connected layer.

use super::prepared::{Prepared, may_prepare};
use crate::error::{Error, Result};
use crate::kernels::{self, Activation, PreparedConv, activate};
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Module, Param, ParamKind, Params};
use candle_core::Tensor;
use std::sync::Arc;

/// A fully connected layer. PyTorch's `nn.Linear`.
///
/// ```text
/// ys = xs · weightᵀ + bias
/// ```
///
/// Weight and bias begin uniform in ±1/√`in_features`, as PyTorch's do ([`Init::Default`]).
///
/// # Shapes
/// - `xs` `[.., in_features]` → `[.., out_features]`
/// - `weight` `[out_features, in_features]`, `bias` `[out_features]`
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{Module, Params, linear};
/// use tallow::rng::Rng;
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&Rng::new(42), &Device::Cpu);
/// let layer = linear(3, 2, &params)?;
/// params.get("weight")?.var().set(&Tensor::new(&[[1f32, 2., 3.], [0., -1., 0.5]], &Device::Cpu)?)?;
/// params.get("bias")?.var().set(&Tensor::new(&[0.5f32, -1.], &Device::Cpu)?)?;
/// let ys = layer.forward(&Tensor::new(&[[1f32, -2., 3.]], &Device::Cpu)?, false)?;
/// assert_eq!(ys.to_vec2::<f32>()?, [[6.5, 2.5]]);
/// # Ok(())
/// # }
/// ```
pub struct Linear {
    weight: Param,
    bias: Option<Param>,
    prepared: Prepared,
}

/// A [`Linear`] layer with bias and PyTorch's initial values.
///
/// # Errors
/// When the device cannot allocate its parameters.
pub fn linear(in_features: usize, out_features: usize, params: &Params) -> Result<Linear> {
    Linear::new(in_features, out_features, true, params)
}

impl Linear {
    /// A layer with PyTorch's initial values, with or without a bias.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn new(in_features: usize, out_features: usize, bias: bool, params: &Params) -> Result<Linear> {
        Linear::with_init(in_features, out_features, Init::Default, bias.then_some(Init::Default), params)
    }

    /// A layer with the given initial values; without a bias if `bias` is `None`.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn with_init(
        in_features: usize,
        out_features: usize,
        weight: Init,
        bias: Option<Init>,
        params: &Params,
    ) -> Result<Linear> {
        let fans = [in_features, out_features];
        let weight = params
            .add("weight", ParamKind::Weight, |rng, dev| weight.draw((out_features, in_features), fans, rng, dev))?;
        let bias =
            bias.map(|bias| params.add("bias", ParamKind::Bias, |rng, dev| bias.draw(out_features, fans, rng, dev)));
        Ok(Linear { weight, bias: bias.transpose()?, prepared: Prepared::default() })
    }
}

impl Linear {
    /// Runs the layer and an activation, `activation(linear(xs))`: in inference in one pass, with weights that stay
    /// packed from one call to the next.
    ///
    /// # Errors
    /// [`Error::Shape`] when the last axis of `xs` has not `in_features` values.
    pub fn forward_with(&self, xs: &Tensor, train: bool, activation: Activation) -> Result<Tensor> {
        let weight = self.weight.tensor();
        if xs.dims().last() != weight.dims().last() {
            let message = format!(
                "linear layer `{}` has shape [out, in] {:?}, which does not take an input of shape {:?}",
                self.weight.name(),
                weight.dims(),
                xs.dims()
            );
            return Err(Error::shape(message, xs.dims()));
        }
        if self.may_prepare(xs, train) {
            return Ok(self.prepared()?.linear(xs, None, activation)?);
        }
        let bias = self.bias.as_ref().map(Param::tensor);
        let ys = kernels::linear(xs, &weight, bias.as_ref())?;
        report("Linear", &self.params(), &ys, weight.dims()[1]);
        Ok(activate(&ys, activation)?)
    }

    /// `linear(xs) + residual` in inference, where it can be in one pass.
    pub(crate) fn forward_onto(&self, xs: &Tensor, residual: &Tensor) -> Result<Tensor> {
        if self.may_prepare(xs, false) {
            return Ok(self.prepared()?.linear(xs, Some(residual), Activation::None)?);
        }
        Ok(kernels::add(&self.forward(xs, false)?, residual)?)
    }

    /// Whether the result may come from packed weights. Training gives the memory back.
    pub(crate) fn may_prepare(&self, xs: &Tensor, train: bool) -> bool {
        if train {
            self.prepared.forget();
        }
        may_prepare(xs, train, &self.params())
    }

    /// The layer as a pointwise convolution, packed once.
    pub(crate) fn prepared(&self) -> Result<Arc<PreparedConv>> {
        self.prepared.get(&self.params(), || self.scaled(None))
    }

    /// The layer as a pointwise convolution, its outputs multiplied by a factor each.
    pub(crate) fn scaled(&self, factors: Option<&Tensor>) -> Result<PreparedConv> {
        let (mut weight, mut bias) = (self.weight.tensor(), self.bias.as_ref().map(Param::tensor));
        if let Some(factors) = factors {
            weight = weight.broadcast_mul(&factors.reshape(((), 1))?)?;
            bias = bias.map(|bias| bias * factors).transpose()?;
        }
        let (outputs, inputs) = weight.dims2()?;
        Ok(PreparedConv::new(&weight.reshape((outputs, inputs, 1, 1))?, bias.as_ref())?)
    }

    /// The weight, and the bias if there is one.
    pub(crate) fn params(&self) -> Vec<&Param> {
        [&self.weight].into_iter().chain(&self.bias).collect()
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_with(xs, train, Activation::None)
    }
}
