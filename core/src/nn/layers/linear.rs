//! The fully connected layer.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Module, Param, ParamKind, Params};
use candle_core::Tensor;

/// `y = x·Wᵀ + b`, `[N, in_features]` to `[N, out_features]`; `weight` is `[out_features, in_features]`, `bias`
/// `[out_features]`. PyTorch's `nn.Linear`.
pub struct Linear {
    weight: Param,
    bias: Option<Param>,
}

/// A [`Linear`] layer with bias.
///
/// # Errors
/// When the device cannot hold its parameters.
pub fn linear(in_features: usize, out_features: usize, params: &Params) -> Result<Linear> {
    Linear::new(in_features, out_features, true, params)
}

impl Linear {
    /// A layer with PyTorch's initial values.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(in_features: usize, out_features: usize, bias: bool, params: &Params) -> Result<Linear> {
        Linear::with_init(in_features, out_features, Init::Default, bias.then_some(Init::Default), params)
    }

    /// A layer whose weight and bias, if it has one, begin like this.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
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
        Ok(Linear { weight, bias: bias.transpose()? })
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
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
        let bias = self.bias.as_ref().map(Param::tensor);
        let ys = kernels::linear(xs, &weight, bias.as_ref())?;
        let params: Vec<&Param> = [&self.weight].into_iter().chain(&self.bias).collect();
        report("Linear", &params, &ys, weight.dims()[1]);
        Ok(ys)
    }
}
