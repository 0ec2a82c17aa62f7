//! What the integration tests share: one comparison, and the formula that gives Rust and PyTorch the same weights.
#![allow(dead_code)] // each test program uses a part of it

pub(crate) mod training;

use candle_core::{DType, Device, Tensor, Var};
use tallow::nn::Params;
use tallow::rng::Rng;

/// All values of a tensor, row-major.
pub(crate) fn values(xs: &Tensor) -> Vec<f64> {
    xs.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// Fails unless `got` equals `want` to `tolerance` times the largest magnitude in `want`; NaN equals only NaN, and an
/// infinity only itself. The message names the worst index. Gives the largest relative error.
#[track_caller]
pub(crate) fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: f64) -> f64 {
    assert_eq!(got.len(), want.len(), "{what}: {} values instead of {}", got.len(), want.len());
    let scale = want.iter().filter(|v| v.is_finite()).fold(0.0, |largest: f64, v| largest.max(v.abs()));
    let error = |got: f64, want: f64| match (got.is_nan(), want.is_nan()) {
        (true, true) => 0.0,
        (false, false) if got == want => 0.0,
        (false, false) if want.is_finite() && got.is_finite() => (got - want).abs() / scale,
        _ => f64::INFINITY,
    };
    let errors = got.iter().zip(want).map(|(&got, &want)| error(got, want));
    let (index, worst) = errors.enumerate().fold((0, 0.0), |worst, now| if now.1 > worst.1 { now } else { worst });
    assert!(
        worst <= tolerance,
        "{what}: index {index} is {} instead of {}, off by {worst:.2e} of the largest magnitude {scale:.3e} (allowed: {tolerance:.0e})",
        got[index],
        want[index]
    );
    eprintln!("{what}: largest error {worst:.1e}");
    worst
}

/// Fails unless both are the same to the last bit.
#[track_caller]
pub(crate) fn assert_same_bits(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: {} values instead of {}", got.len(), want.len());
    let differs = got.iter().zip(want).position(|(a, b)| a.to_bits() != b.to_bits());
    if let Some(index) = differs {
        panic!("{what}: index {index} is {:e} instead of {:e}", got[index], want[index]);
    }
}

fn fnv1a(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Numbers in -1..1 that depend on a name and an index alone. The reference values were made with the same formula.
pub(crate) fn formula(name: &str, n: usize) -> Vec<f64> {
    let start = fnv1a(name);
    let mix = |i: usize| {
        let mut z = start.wrapping_add((i as u32).wrapping_mul(0x9e37_79b9));
        z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
        z = (z ^ (z >> 13)).wrapping_mul(0xc2b2_ae35);
        f64::from(z ^ (z >> 16)) / f64::from(1u32 << 31) - 1.0
    };
    (0..n).map(mix).collect()
}

/// [`formula`] as an `f64` tensor.
pub(crate) fn formula_tensor(name: &str, shape: &[usize]) -> Tensor {
    Tensor::from_vec(formula(name, shape.iter().product()), shape, &Device::Cpu).unwrap()
}

/// [`formula`] as a variable of this type.
pub(crate) fn formula_var(name: &str, shape: &[usize], dtype: DType) -> Var {
    Var::from_tensor(&formula_tensor(name, shape).to_dtype(dtype).unwrap()).unwrap()
}

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

/// The reference networks' labels.
pub(crate) fn reference_labels(n: usize, classes: usize) -> Tensor {
    let labels: Vec<u32> = (0..n).map(|b| ((7 * b + 3) % classes) as u32).collect();
    Tensor::new(labels, &Device::Cpu).unwrap()
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
