//! Activations as layers.

use crate::error::Result;
use crate::kernels;
use crate::nn::Module;
use candle_core::Tensor;

/// The rectified linear unit, `max(x, 0)`, of each value. Its gradient at 0 is 0. PyTorch's `nn.ReLU`.
///
/// # Shapes
/// Any shape, which the result has too.
pub struct Relu;

impl Module for Relu {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::relu(xs)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::relu(xs)?)
    }
}
