//! Tensors as plain numbers, rows of equal steps, and curves.

use candle_core::{DType, Device, Tensor};
use tallow::Result;
use tallow::plot::Plot;

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

/// The curve of a function, as the source draws it.
pub(crate) fn plot_function(title: &str, f: impl Fn(f64) -> f64) -> Plot {
    Plot::new(title).function("", -2.1, 2.1, f).colored(1).size(460, 320)
}
