//! How parameters begin.

use crate::error::Result;
use crate::rng::Rng;
use candle_core::{Device, Shape, Tensor};

/// PyTorch's default for linear layers and convolutions, `kaiming_uniform_(a=sqrt(5))`: uniform in ±1/√`fan_in`, for
/// weights and biases alike.
///
/// # Errors
/// When the device cannot hold the tensor.
pub fn kaiming_uniform(shape: impl Into<Shape>, fan_in: usize, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    rng.rand(shape, -bound, bound, device)
}

/// `kaiming_normal_` for ReLU (He et al., 2015): normal with standard deviation √(2/`fan`).
///
/// # Errors
/// When the device cannot hold the tensor.
pub fn kaiming_normal(shape: impl Into<Shape>, fan: usize, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    rng.randn(shape, (2.0 / fan.max(1) as f64).sqrt(), device)
}
