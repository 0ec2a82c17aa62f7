//! Tensors as plain numbers, for prints and plots, and rows of equal steps.

use candle_core::{DType, Device, Tensor};
use tallow::Result;

/// The value of a tensor that is one number.
pub(crate) fn number(t: &Tensor) -> Result<f64> {
    Ok(t.to_dtype(DType::F64)?.to_scalar()?)
}

/// All values of a tensor, in order.
pub(crate) fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(t.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}

/// Numbers with four decimals in square brackets.
pub(crate) fn listed(values: &[f64]) -> String {
    format!("[{}]", values.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(", "))
}

/// `torch.linspace`: `steps` numbers from `from` to `to`, evenly apart.
pub(crate) fn linspace(from: f64, to: f64, steps: usize) -> Result<Tensor> {
    let step = (to - from) / (steps - 1) as f64;
    let values: Vec<f32> = (0..steps).map(|i| (from + step * i as f64) as f32).collect();
    Ok(Tensor::new(values, &Device::Cpu)?)
}
