//! Embedded numbers against the formula, and their gradients against differences.

use crate::common::{assert_close, formula_tensor, params, values};
use candle_core::{DType, Tensor};
use std::f64::consts::TAU;
use tallow::models::{EmbeddedNumbers, PeriodicConfig};
use tallow::nn::{Module, Params};

const CONFIG: PeriodicConfig = PeriodicConfig { frequencies: 3, sigma: 0.7, width: 4 };

fn layer() -> (EmbeddedNumbers, Params, Tensor) {
    let params = params(7).with_dtype(DType::F64);
    let layer = EmbeddedNumbers::new(2, &CONFIG, &params).unwrap();
    (layer, params, (formula_tensor("numbers", &[5, 2]) * 2.0).unwrap())
}

/// `relu(W·[sin 2πcx, cos 2πcx] + b)`, number by number.
fn plain(params: &Params, xs: &Tensor) -> Vec<f64> {
    let value = |name: &str| values(params.get(name).unwrap().var());
    let (frequencies, weight, bias) = (value("frequencies"), value("weight"), value("bias"));
    let (columns, k, width) = (2, CONFIG.frequencies, CONFIG.width);
    let of = |(i, x): (usize, f64)| {
        let column = i % columns;
        let angle = |j: usize| TAU * frequencies[column * k + j] * x;
        let waves: Vec<f64> = (0..k).map(|j| angle(j).sin()).chain((0..k).map(|j| angle(j).cos())).collect();
        let weight = &weight[column * 2 * k * width..];
        let unit = |d: usize| {
            let sum: f64 = waves.iter().enumerate().map(|(j, wave)| wave * weight[j * width + d]).sum();
            (sum + bias[column * width + d]).max(0.0)
        };
        (0..width).map(unit).collect::<Vec<f64>>()
    };
    values(xs).into_iter().enumerate().flat_map(of).collect()
}

#[test]
fn numbers_become_what_the_formula_says() {
    let (layer, params, xs) = layer();
    let ys = layer.forward(&xs, true).unwrap();
    assert_eq!(ys.dims(), [5, 2 * CONFIG.width]);
    assert_close("vectors", &values(&ys), &plain(&params, &xs), 1e-9);
    // Frequencies begin as widely as they were asked to.
    let many = PeriodicConfig { frequencies: 2000, ..CONFIG };
    let wide = crate::common::params(1);
    EmbeddedNumbers::new(1, &many, &wide).unwrap();
    let frequencies = values(wide.get("frequencies").unwrap().var());
    let deviation = (frequencies.iter().map(|c| c * c).sum::<f64>() / 2000.0).sqrt();
    assert!((deviation / CONFIG.sigma - 1.0).abs() < 0.05, "{deviation}");
}

#[test]
fn gradients_are_those_of_small_differences() {
    let (layer, params, xs) = layer();
    let loss = |layer: &EmbeddedNumbers| layer.forward(&xs, true).unwrap().sqr().unwrap().sum_all().unwrap();
    let grads = tallow::kernels::backward(&loss(&layer)).unwrap();
    for param in params.all() {
        let got = values(&param.gradient(&grads).unwrap().unwrap());
        let before = values(param.var());
        let at = |i: usize, step: f64| {
            let mut moved = before.clone();
            moved[i] += step;
            param.var().set(&Tensor::from_vec(moved, param.dims(), xs.device()).unwrap()).unwrap();
            values(&loss(&layer))[0]
        };
        let want: Vec<f64> = (0..before.len()).map(|i| (at(i, 1e-6) - at(i, -1e-6)) / 2e-6).collect();
        at(0, 0.0);
        assert_close(param.name(), &got, &want, 1e-5);
    }
}
