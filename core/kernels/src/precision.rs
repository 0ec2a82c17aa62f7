//! From one type of numbers to another.

use super::graph::record_as;
use super::{fast, with_stored};
use candle_core::{DType, Result, Tensor};

/// A tensor's values in another type, `f32` and `bf16` by all threads. PyTorch's `tensor.to(dtype)`.
///
/// This is how a network computes in mixed precision: convolutions, linear layers, normalisation, pooling and
/// activations of an input of `bf16` compute in `f32`, or multiply pairs of `bf16` and sum them up in `f32`, and round
/// their results to `bf16`. Parameters stay `f32`, and so do their gradients.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use tallow_kernels::to_dtype;
/// # fn main() -> candle_core::Result<()> {
/// let third = Tensor::new(&[1f32 / 3.0], &Device::Cpu)?;
/// let rounded = to_dtype(&to_dtype(&third, DType::BF16)?, DType::F32)?;
/// assert_eq!(rounded.to_vec1::<f32>()?, [0.33398438]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the device does not have the type.
pub fn to_dtype(xs: &Tensor, dtype: DType) -> Result<Tensor> {
    if xs.dtype() == dtype {
        return Ok(xs.clone());
    }
    if !fast(xs) || !matches!(dtype, DType::F32 | DType::BF16) {
        return xs.to_dtype(dtype);
    }
    let values = with_stored(xs, |xs| Ok(xs.in_type(dtype)))?;
    record_as(dtype, &[xs], values, xs.shape(), |_, grad, _| Ok(vec![Some(grad.clone())]))
}
