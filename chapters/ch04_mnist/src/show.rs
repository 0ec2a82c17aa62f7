//! Tensors as plain numbers, for prints and plots.

use candle_core::{DType, Device, Tensor};
use tallow::Result;

/// The value of a tensor that is one number.
pub(crate) fn number(t: &Tensor) -> Result<f64> {
    Ok(t.to_dtype(DType::F64)?.to_scalar()?)
}

/// All values of a tensor, in order.
pub(crate) fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(t.flatten_all()?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?)
}

/// The pixels of a float picture `[28, 28]`, row by row.
pub(crate) fn pixels(picture: &Tensor) -> Result<Vec<f32>> {
    Ok(picture.flatten_all()?.to_device(&Device::Cpu)?.to_vec1()?)
}

/// The sizes of some tensors, one after the other.
pub(crate) fn sizes(tensors: &[&Tensor]) -> Vec<f64> {
    tensors.iter().flat_map(|t| t.dims().to_vec()).map(|d| d as f64).collect()
}

/// Numbers with four decimals, ten to a line.
pub(crate) fn listed(values: &[f64]) -> String {
    let line = |line: &[f64]| line.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(" ");
    values.chunks(10).map(line).collect::<Vec<_>>().join("\n")
}
