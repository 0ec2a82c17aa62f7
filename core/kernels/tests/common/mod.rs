//! What the tests of the kernels and of the whole library share: one comparison, and the formula that gives Rust and
//! PyTorch the same tensors.
#![allow(dead_code)] // each test program uses a part of it

use candle_core::{DType, Device, Tensor, Var};

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
        "{what}: index {index} is {} instead of {}, off by {worst:.2e} of the largest magnitude {scale:.3e} (allowed: \
         {tolerance:.0e})",
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

/// 32 bits that depend on a name and an index alone.
pub(crate) fn hash(name: &str, i: usize) -> u32 {
    mix(fnv1a(name), i)
}

fn mix(start: u32, i: usize) -> u32 {
    let mut z = start.wrapping_add((i as u32).wrapping_mul(0x9e37_79b9));
    z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
    z = (z ^ (z >> 13)).wrapping_mul(0xc2b2_ae35);
    z ^ (z >> 16)
}

/// Numbers in -1..1 that depend on a name and an index alone. The reference values were made with the same formula.
pub(crate) fn formula(name: &str, n: usize) -> Vec<f64> {
    let start = fnv1a(name);
    (0..n).map(|i| f64::from(mix(start, i)) / f64::from(1u32 << 31) - 1.0).collect()
}

/// [`formula`] as an `f64` tensor.
pub(crate) fn formula_tensor(name: &str, shape: &[usize]) -> Tensor {
    Tensor::from_vec(formula(name, shape.iter().product()), shape, &Device::Cpu).unwrap()
}

/// [`formula`] as a variable of this type.
pub(crate) fn formula_var(name: &str, shape: &[usize], dtype: DType) -> Var {
    Var::from_tensor(&formula_tensor(name, shape).to_dtype(dtype).unwrap()).unwrap()
}

/// The reference networks' labels.
pub(crate) fn reference_labels(n: usize, classes: usize) -> Tensor {
    let labels: Vec<u32> = (0..n).map(|b| ((7 * b + 3) % classes) as u32).collect();
    Tensor::new(labels, &Device::Cpu).unwrap()
}
