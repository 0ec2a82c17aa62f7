//! AWD-LSTM against fast.ai's: `reference.json` holds what fastai 2.8.12 gives for weights that a formula gives to
//! both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bert;
mod classifier;
mod language_model;
mod masks;
mod training;
mod weights;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};
use common::{assert_close, numbers, reference_parameter, values};
use serde_json::Value;
use tallow::models::AwdLstmConfig;
use tallow::nn::Params;

/// What outputs and gradients may be off by.
const TOLERANCE: f64 = 1e-4;

fn reference() -> Value {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

/// The reference's small sizes, without dropout.
fn small() -> AwdLstmConfig {
    AwdLstmConfig::language_model().drop_mult(0.0).size(20, 32, 3)
}

/// Gives each parameter the formula's values.
fn fill(params: &Params) {
    for param in params.all() {
        param.var().set(&reference_parameter(param.name(), param.dims())).unwrap();
    }
}

/// Numbers of words, `[[..], ..]`.
fn ids(json: &Value) -> Tensor {
    let rows = json.as_array().unwrap().len();
    let ids: Vec<u32> = numbers(json).into_iter().map(|id| id as u32).collect();
    let steps = ids.len() / rows;
    Tensor::from_vec(ids, (rows, steps), &Device::Cpu).unwrap()
}

/// The reference's formula for numbers of words below `vocab`.
fn formula_ids(name: &str, n: usize, vocab: u32) -> Vec<u32> {
    (0..n).map(|i| 2 + common::hash(name, i) % (vocab - 2)).collect()
}

fn number(json: &Value) -> f64 {
    json.as_f64().unwrap()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Norm and first values of a tensor.
#[track_caller]
fn assert_brief(what: &str, tensor: &Tensor, json: &Value, tolerance: f64) {
    let all = values(tensor);
    assert_close(&format!("norm of {what}"), &[norm(&all)], &[number(&json["norm"])], tolerance);
    let scale = norm(&all) / (all.len() as f64).sqrt();
    for (i, want) in numbers(&json["first"]).into_iter().enumerate() {
        let off = (all[i] - want).abs();
        assert!(off <= tolerance * want.abs().max(scale), "{what} {i}: {} instead of {want}", all[i]);
    }
}

/// The gradients of all parameters.
#[track_caller]
fn assert_gradients(params: &Params, grads: &GradStore, json: &Value) {
    for (name, want) in json.as_object().unwrap() {
        let grad = params.get(name).unwrap().gradient(grads).unwrap().unwrap();
        assert_brief(&format!("gradient of {name}"), &grad, want, TOLERANCE);
    }
}

/// Names and shapes, in order.
fn assert_tensors(params: &Params, json: &Value) {
    let named = params.all().into_iter().filter(|param| param.kind() != tallow::nn::ParamKind::Buffer);
    let named: Vec<Value> = named.map(|param| serde_json::json!([param.name(), param.dims()])).collect();
    assert_eq!(&Value::Array(named), json);
}

/// Names by group.
fn assert_groups(params: &Params, json: &Value) {
    let groups: Vec<Vec<String>> = serde_json::from_value(json.clone()).unwrap();
    for (group, names) in groups.iter().enumerate() {
        for name in names {
            assert_eq!(params.get(name).unwrap().group(), group, "{name}");
        }
    }
    assert_eq!(params.n_groups(), groups.len());
}

/// `alpha` 2 and `beta` 1.
fn penalties(raw: &Tensor, dropped: &Tensor) -> (Tensor, Tensor) {
    let steps = raw.dims()[1];
    let changes = (raw.narrow(1, 1, steps - 1).unwrap() - raw.narrow(1, 0, steps - 1).unwrap()).unwrap();
    let mean = |xs: &Tensor| xs.sqr().unwrap().mean_all().unwrap();
    ((mean(dropped) * 2.0).unwrap(), mean(&changes))
}

fn total(parts: &[&Tensor]) -> Tensor {
    parts[1..].iter().fold(parts[0].clone(), |sum, part| (sum + *part).unwrap())
}

fn f32s(xs: &Tensor) -> Tensor {
    xs.to_dtype(DType::F32).unwrap()
}
