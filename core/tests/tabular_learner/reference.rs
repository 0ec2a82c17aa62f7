//! fast.ai's `TabularModel` against ours, with weights that a formula gives to both and rows of the census of 1994.
//!
//! `fixtures/tabular.json` has what fastai 2.8.12 on PyTorch computed: `tabular_learner` with its defaults, the first
//! 64 training rows as one batch, the first four validation rows, three steps of fast.ai's Adam at 0.001. In the second
//! case every 51st `education-num` is blank.

use crate::common::{assert_close, numbers, params, reference_parameter, values};
use candle_core::{Device, Tensor};
use serde_json::Value;
use tallow::models::{TabularModel, TabularModelConfig};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{ParamKind, Params};
use tallow::optim::{Adam, Hypers, Optimizer};

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/tabular.json")).unwrap()
}

/// Categories, numbers and labels.
fn rows(json: &Value) -> (Tensor, Tensor, Tensor) {
    let n = json["ys"].as_array().unwrap().len();
    let whole = |json: &Value| numbers(json).into_iter().map(|v| v as u32).collect::<Vec<u32>>();
    let (categories, ys) = (whole(&json["cats"]), whole(&json["ys"]));
    let conts: Vec<f32> = numbers(&json["conts"]).into_iter().map(|v| v as f32).collect();
    let width = |len: usize| len / n;
    let shapes = ((n, width(categories.len())), (n, width(conts.len())));
    (
        Tensor::from_vec(categories, shapes.0, &Device::Cpu).unwrap(),
        Tensor::from_vec(conts, shapes.1, &Device::Cpu).unwrap(),
        Tensor::new(ys, &Device::Cpu).unwrap(),
    )
}

fn norm(xs: &[f64]) -> f64 {
    xs.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Rows of a name, a norm and perhaps the first values.
fn check(what: &str, expected: &Value, tolerance: f64, got: impl Fn(&str) -> Vec<f64>) {
    for row in expected.as_array().unwrap() {
        let name = row[0].as_str().unwrap();
        let got = got(name);
        assert_close(&format!("{what}: norm of {name}"), &[norm(&got)], &[row[1].as_f64().unwrap()], tolerance);
        if let Some(first) = row.get(2).map(numbers) {
            // Beside the largest of all values, as the norm is.
            let largest = got.iter().fold(0f64, |largest, v| largest.max(v.abs()));
            let off = got.iter().zip(&first).map(|(g, w)| (g - w).abs() / largest).fold(0.0, f64::max);
            assert!(off <= tolerance, "{what} of {name}: {:?} instead of {first:?}", &got[..first.len()]);
        }
    }
}

fn case(name: &str) {
    let expected = &fixture()[name];
    let pair = |json: &Value| (json[0].as_u64().unwrap() as usize, json[1].as_u64().unwrap() as usize);
    let sizes: Vec<(usize, usize)> = expected["sizes"].as_array().unwrap().iter().map(pair).collect();
    assert!(sizes.iter().all(|&(n, width)| tallow::models::embedding_width(n) == width));
    let params = params(0);
    let model = TabularModel::new(&sizes, 3, 2, &TabularModelConfig::default(), &params).unwrap();

    let got: Vec<Value> = params.all().iter().map(|p| serde_json::json!([p.name(), p.dims()])).collect();
    assert_eq!(Value::from(got), expected["tensors"]);
    let undecayed = params.all().into_iter().filter(|p| matches!(p.kind(), ParamKind::Norm | ParamKind::Bias));
    let undecayed: Vec<Value> = undecayed.map(|p| p.name().into()).collect();
    assert_eq!(Value::from(undecayed), expected["no_weight_decay"]);
    assert_eq!(params.n_groups() as u64, expected["groups"].as_u64().unwrap());

    for param in params.all() {
        param.var().set(&reference_parameter(param.name(), param.dims())).unwrap();
    }
    let (categories, conts, ys) = rows(&expected["valid"]);
    let output = model.forward(&categories, &conts, false).unwrap();
    assert_close("output", &values(&output), &numbers(&expected["output"]), 1e-4);
    let loss = cross_entropy(&output, &ys).unwrap();
    assert_close("eval loss", &values(&loss), &[expected["eval_loss"].as_f64().unwrap()], 1e-4);
    train(&model, &params, expected);
}

fn train(model: &TabularModel, params: &Params, expected: &Value) {
    let (categories, conts, ys) = rows(&expected["train"]);
    let (mut adam, mut losses) = (Adam::fastai(), Vec::new());
    let value = |name: &str| values(params.get(name).unwrap().var());
    for step in 0..3 {
        let loss = cross_entropy(&model.forward(&categories, &conts, true).unwrap(), &ys).unwrap();
        losses.extend(values(&loss));
        let grads = tallow::kernels::backward(&loss).unwrap();
        if step == 0 {
            let gradient = |name: &str| values(&params.get(name).unwrap().gradient(&grads).unwrap().unwrap());
            check("gradient", &expected["grads"], 1e-4, gradient);
            check("running statistic", &expected["running"], 1e-4, value);
        }
        adam.step(&params.trainable(), &grads, &Hypers::lr(1e-3)).unwrap();
        if step == 0 {
            check("after one step", &expected["after_step_1"], 1e-4, value);
        }
    }
    assert_close("first loss", &losses[..1], &numbers(&expected["losses"])[..1], 1e-4);
    assert_close("losses", &losses, &numbers(&expected["losses"]), 1e-3);
    check("after three steps", &expected["after_last_step"], 1e-3, value);
}

#[test]
fn adult_as_it_is() {
    case("plain");
}

#[test]
fn adult_with_blanks() {
    case("missing");
}
