//! The fully connected layer.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{Kind, Module, Param, Params, init};
use candle_core::Tensor;

/// `y = x·Wᵀ + b`, `[N, from]` to `[N, to]`; `weight` is `[to, from]`, `bias` `[to]`. PyTorch's `nn.Linear`.
pub struct Linear {
    weight: Param,
    bias: Option<Param>,
}

/// A [`Linear`] layer with bias.
///
/// # Errors
/// When the device cannot hold its parameters.
pub fn linear(from: usize, to: usize, params: &Params) -> Result<Linear> {
    Linear::new(from, to, true, params)
}

impl Linear {
    /// A layer with PyTorch's initial values.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(from: usize, to: usize, bias: bool, params: &Params) -> Result<Linear> {
        let weight =
            params.add("weight", Kind::Weight, |rng, dev| init::kaiming_uniform((to, from), from, rng, dev))?;
        let bias = if bias {
            Some(params.add("bias", Kind::Bias, |rng, dev| init::kaiming_uniform(to, from, rng, dev))?)
        } else {
            None
        };
        Ok(Linear { weight, bias })
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let weight = self.weight.tensor();
        if xs.dims().last() != weight.dims().last() {
            return Err(Error::Value(format!(
                "linear layer `{}` has shape [out, in] {:?}, which does not take an input of shape {:?}",
                self.weight.name(),
                weight.dims(),
                xs.dims()
            )));
        }
        let bias = self.bias.as_ref().map(Param::tensor);
        Ok(kernels::linear(xs, &weight, bias.as_ref())?)
    }
}
