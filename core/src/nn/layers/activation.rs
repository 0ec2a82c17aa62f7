//! Activations as layers.

use crate::error::Result;
use crate::kernels;
use crate::nn::Module;
use candle_core::Tensor;

/// `max(x, 0)`, with gradient 0 at 0. PyTorch's `nn.ReLU`.
pub struct Relu;

impl Module for Relu {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::relu(xs)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::relu(xs)?)
    }
}
