//! What the integration tests share: the reference networks' weights and inputs, and the kernels' comparison and
//! formula.
#![allow(dead_code)] // each test program uses a part of it

pub(crate) mod encoder;
#[path = "../../kernels/tests/common/mod.rs"]
mod tensors;
pub(crate) mod training;

pub(crate) use tensors::*;

use candle_core::{DType, Device, Tensor};
use tallow::nn::Params;
use tallow::rng::Rng;

/// The reference networks' value for a parameter of this name and shape.
pub(crate) fn reference_parameter(name: &str, shape: &[usize]) -> Tensor {
    let u = formula_tensor(name, shape);
    let fan_in: usize = shape.iter().skip(1).product();
    let (scale, shift) = match shape.len() {
        2.. => ((6.0 / fan_in as f64).sqrt(), 0.0),
        _ if name.ends_with("running_var") => (0.25, 1.25),
        1 if name.ends_with("weight") => (0.1, 1.0),
        _ => (0.1, 0.0),
    };
    u.affine(scale, shift).unwrap().to_dtype(DType::F32).unwrap()
}

/// The reference networks' input, `[N, C, H, W]`.
pub(crate) fn reference_images(shape: &[usize]) -> Tensor {
    reference_images_from("input", shape)
}

/// The same from another stretch of the formula.
pub(crate) fn reference_images_from(source: &str, shape: &[usize]) -> Tensor {
    (formula_tensor(source, shape) * 1.5).unwrap().to_dtype(DType::F32).unwrap()
}

/// An empty store of parameters on the CPU.
pub(crate) fn params(seed: u64) -> Params {
    Params::new(&Rng::new(seed), &Device::Cpu)
}

/// A file under `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> serde_json::Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// An array of numbers, however deeply nested.
pub(crate) fn numbers(json: &serde_json::Value) -> Vec<f64> {
    match json {
        serde_json::Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}
