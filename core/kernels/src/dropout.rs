//! Dropout.

use super::fast;
use super::graph::record;
use super::zip::zip;
use candle_core::{DType, Device, Result, Shape, Tensor};

/// The field of [`dropout_mask`]'s polynomial: a prime below which products fit into `i64`.
const PRIME: i64 = (1 << 31) - 1;

/// Multiplies `xs` by a mask of the same shape, with values 0 and `1 / (1 - p)` and without a gradient. The mask comes
/// from the caller's random stream or from [`dropout_mask`], since candle's random numbers cannot be seeded on the CPU.
///
/// # Errors
/// When the mask does not have the shape of `xs`.
pub fn dropout(xs: &Tensor, mask: &Tensor) -> Result<Tensor> {
    if mask.shape() != xs.shape() {
        candle_core::bail!("dropout: a mask of shape {:?} for an input of shape {:?}", mask.dims(), xs.dims());
    }
    let mask = mask.detach().to_device(xs.device())?.to_dtype(xs.dtype())?;
    if !fast(xs) {
        return xs * mask;
    }
    record(&[xs], zip(xs, &mask, |x, m| x * m)?, xs.shape(), move |_, grad, _| {
        Ok(vec![Some(zip(grad, &mask, |dy, m| dy * m)?.tensor(grad.shape())?)])
    })
}

/// Computes a dropout mask on the device from a key of four numbers: each value is 0 with probability `p`, and
/// `1 / (1 - p)` otherwise. It uses integer arithmetic only, so the mask is the same on every device.
///
/// Whether value number `i` is dropped depends on a polynomial of third degree in `i`, modulo the prime 2³¹ - 1, with
/// the coefficients `key`. If they are random, any four values of the mask are independent of each other (Wegman and
/// Carter, 1981). Tensors have no shifts and no exclusive or, of which generators of random numbers are usually made.
///
/// # Errors
/// When `p` is not a probability, the mask has 2³¹ values or more, or the device cannot hold it.
pub fn dropout_mask(shape: impl Into<Shape>, p: f64, key: [u32; 4], dtype: DType, device: &Device) -> Result<Tensor> {
    let shape = shape.into();
    let n = shape.elem_count();
    if !(0.0..=1.0).contains(&p) || n as u64 >= PRIME as u64 {
        candle_core::bail!("dropout_mask: a probability of {p} for {n} values");
    }
    let number = |value: i64| Tensor::new(value, device);
    let prime = number(PRIME)?;
    let index = count(n, device)?;
    let mut value = index.zeros_like()?;
    for coefficient in key {
        let next = value.mul(&index)?.broadcast_add(&number(i64::from(coefficient) % PRIME)?)?;
        // Integers are divided without a remainder.
        value = next.sub(&next.broadcast_div(&prime)?.broadcast_mul(&prime)?)?;
    }
    let kept = value.broadcast_ge(&number((p * PRIME as f64).round() as i64)?)?;
    let scale = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
    (kept.to_dtype(dtype)? * scale)?.reshape(shape)
}

/// The numbers `0..n`, added up on the device: `Tensor::arange` would make all of them on the host.
fn count(n: usize, device: &Device) -> Result<Tensor> {
    const WIDTH: i64 = 1 << 12;
    let rows = (n as i64 + WIDTH - 1) / WIDTH;
    let starts = Tensor::arange_step(0, rows * WIDTH, WIDTH, device)?.unsqueeze(1)?;
    starts.broadcast_add(&Tensor::arange(0, WIDTH, device)?)?.flatten_all()?.narrow(0, 0, n)
}
