//! Layer normalisation.

use crate::error::Result;
use crate::kernels;
use crate::nn::observe::report;
use crate::nn::{Module, Param, ParamKind, Params};
use candle_core::Tensor;

/// Layer normalisation over the last axis (Ba et al., 2016): of features `[..., n]`, or of a channels-last image's
/// channels. PyTorch's `nn.LayerNorm(n)`, torchvision's `LayerNorm2d`.
pub struct LayerNorm {
    weight: Param,
    bias: Param,
    eps: f64,
}

impl LayerNorm {
    /// A layer for `n` features; scale 1, shift 0. PyTorch's own epsilon is 1e-5.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(n: usize, eps: f64, params: &Params) -> Result<LayerNorm> {
        let weight = params.constant("weight", ParamKind::Norm, n, 1.0)?;
        Ok(LayerNorm { weight, bias: params.constant("bias", ParamKind::Norm, n, 0.0)?, eps })
    }
}

impl Module for LayerNorm {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let ys = kernels::layer_norm(xs, &self.weight.tensor(), &self.bias.tensor(), self.eps)?;
        report("LayerNorm", &[&self.weight, &self.bias], &ys, 0);
        Ok(ys)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}
