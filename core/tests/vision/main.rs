//! From files to numbers, against Pillow, torchvision and fast.ai.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod augment;
mod decode;
mod interpolation;
mod masks;
mod pipeline;
mod reference;
mod scans;
mod tiff;

use std::path::{Path, PathBuf};

/// The folder with what `make.py` made.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vision/fixtures")
}

fn json(file: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The indices at which the references look: `n` from the first to the last, halves rounded to even as in numpy.
fn places(size: usize, n: usize) -> Vec<usize> {
    (0..n).map(|i| ((i * (size - 1)) as f64 / (n - 1) as f64).round_ties_even() as usize).collect()
}

/// The pixels of an `n` by `n` grid.
fn grid(picture: &tallow::vision::Image, n: usize) -> Vec<f64> {
    let (columns, rows) = (places(picture.width(), n), places(picture.height(), n));
    let at = |y: usize| columns.iter().flat_map(move |&x| picture.pixel(x, y)).map(f64::from).collect::<Vec<f64>>();
    rows.into_iter().flat_map(at).collect()
}

/// The largest difference of two lists of the same length.
fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
