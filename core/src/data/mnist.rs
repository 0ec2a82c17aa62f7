//! MNIST's digits as tensors.

use crate::error::Result;
use candle_core::{Device, Tensor};
pub use tallow_datasets::{Digits, Mnist};

/// The side of a digit's picture, in pixels.
pub const SIDE: usize = tallow_datasets::mnist::SIDE;

/// All threes and sevens, which are part of the program: fast.ai's `MNIST_SAMPLE`.
///
/// # Errors
/// Never, unless the program itself is damaged.
pub fn sample() -> Result<Mnist> {
    Ok(tallow_datasets::mnist::sample()?)
}

/// All images, `[N, 28, 28]`, between 0 (paper) and 1 (ink).
///
/// # Errors
/// When the device cannot hold them.
pub fn images(digits: &Digits, device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = digits.images.iter().map(|&v| f32::from(v) / 255.0).collect();
    Ok(Tensor::from_vec(values, (digits.len(), SIDE, SIDE), device)?)
}

/// All labels, `[N]`, as `u32`.
///
/// # Errors
/// When the device cannot hold them.
pub fn labels(digits: &Digits, device: &Device) -> Result<Tensor> {
    let labels: Vec<u32> = digits.labels.iter().map(|&label| u32::from(label)).collect();
    Ok(Tensor::new(labels, device)?)
}
