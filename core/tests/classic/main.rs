//! scikit-learn's corner against scikit-learn: `fixtures/make.py` wrote what is expected.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod logistic;
#[path = "../common/polarity.rs"]
mod polarity;
mod random;
mod refuse;
mod report;
mod samples;
mod scales;
mod simple;
mod texts;
mod weights;
mod wrappers;

use serde_json::Value;
use std::sync::LazyLock;
use tallow::classic::*;

/// Coefficients, decisions and probabilities may differ by this much: the promise. Most differ by far less.
const TOLERANCE: f64 = 1e-3;

static FIXTURE: LazyLock<Value> = LazyLock::new(|| {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/classic/fixtures/classic.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
});

/// What stands at a path such as `blobs3/ovr/coef`.
#[track_caller]
fn expected(path: &str) -> &'static Value {
    FIXTURE.pointer(&format!("/{path}")).unwrap_or_else(|| panic!("the fixture has no {path}"))
}

/// All numbers at a path, in order.
#[track_caller]
fn numbers(path: &str) -> Vec<f64> {
    fn collect(value: &Value, into: &mut Vec<f64>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
            Value::Number(number) => into.push(number.as_f64().unwrap()),
            // The digits' pixels, packed as letters.
            Value::String(letters) => into.extend(letters.bytes().map(|letter| f64::from(letter - b'a'))),
            other => panic!("{other} is not a number"),
        }
    }
    let mut found = Vec::new();
    collect(expected(path), &mut found);
    found
}

fn labels(path: &str) -> Vec<u32> {
    numbers(path).into_iter().map(|label| label as u32).collect()
}

fn matrix(path: &str) -> Matrix {
    let rows = expected(path).as_array().unwrap().len();
    let values = numbers(path);
    Matrix::new(rows, values.len() / rows, values).unwrap()
}

/// Fails unless each number is within the tolerance of the one expected. Gives the largest difference.
#[track_caller]
fn near(what: &str, got: &[f64], want: &[f64], tolerance: f64) -> f64 {
    assert_eq!(got.len(), want.len(), "{what}");
    let far = |(g, w): (&f64, &f64)| if (g - w).is_nan() { f64::INFINITY } else { (g - w).abs() };
    let worst = got.iter().zip(want).map(far).fold(0.0, f64::max);
    assert!(worst <= tolerance, "{what}: off by {worst:.1e} (allowed: {tolerance:.0e}): {got:?} instead of {want:?}");
    eprintln!("{what}: off by {worst:.1e}");
    worst
}

/// Samples to train with and samples held out (every fourth), with which the reference was made.
fn real(name: &str) -> TrainTest {
    let all = Samples { xs: matrix(&format!("{name}/X")), ys: labels(&format!("{name}/y")) };
    let (test, train): (Vec<usize>, Vec<usize>) = (0..all.ys.len()).partition(|i| i % 4 == 0);
    TrainTest { train: all.select(&train).unwrap(), test: all.select(&test).unwrap() }
}

fn blobs(name: &str) -> TrainTest {
    let part =
        |part: &str| Samples { xs: matrix(&format!("{name}/X_{part}")), ys: labels(&format!("{name}/y_{part}")) };
    TrainTest { train: part("train"), test: part("test") }
}
