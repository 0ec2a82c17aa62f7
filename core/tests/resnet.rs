//! ResNet-18 against torchvision's, with weights that a formula gives to both; and fast.ai's head against loops.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use candle_core::{Device, Tensor, Var};
use common::{
    assert_close, fixture, formula, numbers, params, reference_images, reference_labels, reference_parameter, values,
};
use serde_json::Value;
use tallow::models::{ResNet, resnet18, vision_head};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{AdaptiveConcatPool2d, GlobalAvgPool2d, Kind, Module, Params};
use tallow::optim::{Hypers, Optimizer, Sgd};

/// Outputs and gradients, relative to the largest magnitude.
const TOLERANCE: f64 = 1e-4;

fn reference_network() -> (ResNet, Params) {
    let params = params(0);
    let network = resnet18(1000, &params).unwrap();
    fill(&params);
    (network, params)
}

fn fill(params: &Params) {
    for param in params.all() {
        param.var().set(&reference_parameter(param.name(), param.var().dims())).unwrap();
    }
}

fn norm(xs: &[f64]) -> f64 {
    xs.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Rows of (name, norm, first three values), as the reference has them for gradients and running statistics.
fn check_rows(what: &str, rows: &Value, got: &dyn Fn(&str) -> Vec<f64>) {
    let (mut worst, mut n) = (0.0, 0);
    for row in rows.as_array().unwrap() {
        let name = row[0].as_str().unwrap();
        let (got, first) = (got(name), numbers(&row[2]));
        let largest = got.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
        let off = got.iter().zip(&first).map(|(g, w)| (g - w).abs() / largest).fold(0.0, f64::max);
        let norm_off = (norm(&got) / row[1].as_f64().unwrap() - 1.0).abs();
        assert!(off <= TOLERANCE, "{what} of {name}: {:?} instead of {first:?}, off by {off:.1e}", &got[..3]);
        // PyTorch sums squares in f32: over the million values of the last layers its norms are off by up to 1.2e-4, as the
        // same gradients in f64 show.
        assert!(norm_off <= 2.0 * TOLERANCE, "{what} of {name}: norm {} instead of {}", norm(&got), row[1]);
        (worst, n) = (off.max(norm_off).max(worst), n + 1);
    }
    assert!(n >= 40, "{what}: only {n} rows");
    eprintln!("{what}: {n} tensors, largest error {worst:.1e}");
}

#[test]
fn names_and_shapes_are_torchvisions_in_its_order() {
    let (_, params) = reference_network();
    let got: Vec<(String, Vec<usize>)> =
        params.all().iter().map(|p| (p.name().to_string(), p.var().dims().to_vec())).collect();
    let tensors = fixture("resnet18.json")["model"]["tensors"].clone();
    let want: Vec<(String, Vec<usize>)> = tensors
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t[0].as_str().unwrap().to_string(), numbers(&t[1]).iter().map(|&n| n as usize).collect()))
        .filter(|(name, _): &(String, Vec<usize>)| !name.ends_with("num_batches_tracked"))
        .collect();
    assert_eq!(got, want);
    assert_eq!(params.count(), 11_689_512);
}

#[test]
fn eval_logits_and_features_are_torchvisions() {
    let want = &fixture("resnet18.json")["model"]["eval"];
    let (network, full) = reference_network();
    let xs = reference_images(&[2, 3, 64, 64]);
    let logits = network.forward(&xs, false).unwrap();
    let first = logits.narrow(1, 0, 10).unwrap();
    assert_close("logits", &values(&first), &numbers(&want["logits_first10"]), TOLERANCE);
    let norms: Vec<f64> = (0..2).map(|b| norm(&values(&logits.get(b).unwrap()))).collect();
    assert_close("logits' norms", &norms, &numbers(&want["logits_l2"]), TOLERANCE);
    assert_eq!(values(&logits.argmax(1).unwrap()), numbers(&want["argmax"]));

    let body_params = params(0);
    let body = ResNet::new([2, 2, 2, 2], None, &body_params).unwrap();
    fill(&body_params);
    assert_eq!(body_params.all().len() + 2, full.all().len());
    let features = GlobalAvgPool2d.forward(&body.forward(&xs, false).unwrap(), false).unwrap(); // [2, 512]
    assert_eq!(features.dims(), [2, ResNet::FEATURES]);
    let first = values(&features);
    assert_close("features", &first[..10], &numbers(&want["features_first10"]), TOLERANCE);
    assert_close("features' norm", &[norm(&first)], &numbers(&want["features_l2"]), TOLERANCE);
    // Eval mode leaves the running statistics alone.
    let mean = full.get("bn1.running_mean").unwrap();
    assert_eq!(values(mean.var()), values(&reference_parameter("bn1.running_mean", &[64])));
}

#[test]
fn three_training_steps_are_pytorchs() {
    let want = &fixture("resnet18.json")["model"]["train"];
    let (network, params) = reference_network();
    let (xs, ys) = (reference_images(&[4, 3, 64, 64]), reference_labels(4, 1000));
    let (mut sgd, rates) = (Sgd::torch(0.9, 1e-4), Hypers::lr(want["lr"].as_f64().unwrap()));
    let mut losses = Vec::new();
    for step in 0..3 {
        let loss = cross_entropy(&network.forward(&xs, true).unwrap(), &ys).unwrap();
        let grads = loss.backward().unwrap();
        losses.extend(values(&loss));
        if step == 0 {
            check_rows("gradient", &want["grads"], &|name| values(grads.get(params.get(name).unwrap().var()).unwrap()));
            check_rows("running statistic", &want["running"], &|name| values(params.get(name).unwrap().var()));
            assert_eq!(want["grads"].as_array().unwrap().len(), params.trainable().len());
        }
        sgd.step(&params.trainable(), &grads, &rates).unwrap();
    }
    assert_close("losses", &losses, &numbers(&want["losses"]), 1e-5);
}

#[test]
fn what_is_trainable_gets_a_gradient_and_moves_and_what_is_frozen_does_not() {
    let (network, params) = reference_network();
    params.split_groups(&[&["conv1", "bn1", "layer1", "layer2"], &["layer3", "layer4"], &["fc"]]).unwrap();
    let (xs, ys) = (reference_images(&[3, 3, 40, 56]), reference_labels(3, 1000));
    for freeze_to in [0, 1, 2] {
        params.freeze_to(freeze_to);
        let before = params.snapshot().unwrap();
        let grads = cross_entropy(&network.forward(&xs, true).unwrap(), &ys).unwrap().backward().unwrap();
        Sgd::new().step(&params.all(), &grads, &Hypers::lr(1e-3)).unwrap();
        for param in params.all() {
            let name = format!("{} with groups before {freeze_to} frozen", param.name());
            let frozen = param.group() < freeze_to && param.kind() != Kind::Norm;
            let grad = grads.get(param.var()).map(values);
            let moved = values(param.var()) != values(&before[param.name()]);
            match param.kind() {
                Kind::Buffer => assert!(grad.is_none() && moved, "{name}"),
                _ if frozen => assert!(grad.is_none() && !moved, "{name}"),
                _ => assert!(grad.is_some_and(|g| norm(&g) > 0.0) && moved, "{name}"),
            }
        }
    }
}

/// Maximum and mean over each of `[N, C, H, W]`'s maps, `[N, 2C]`, by loops.
fn concat_pool(x: &[f64], n: usize, c: usize, pixels: usize) -> Vec<f64> {
    let maps: Vec<&[f64]> = x.chunks(pixels).collect();
    let max = |map: &[f64]| map.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = |map: &[f64]| map.iter().sum::<f64>() / pixels as f64;
    (0..n)
        .flat_map(|i| {
            let maps = &maps[i * c..(i + 1) * c];
            maps.iter().map(|m| max(m)).chain(maps.iter().map(|m| mean(m))).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn concat_pool_and_its_gradient_on_oblong_maps() {
    for (n, c, h, w) in [(2, 3, 2, 5), (1, 1, 1, 1), (3, 2, 7, 1), (2, 130, 3, 4)] {
        let x = Var::from_tensor(&reference_images(&[n, c, h, w])).unwrap();
        let (xv, pixels) = (values(&x), h * w);
        let y = AdaptiveConcatPool2d.forward(&x, true).unwrap();
        assert_eq!(y.dims(), [n, 2 * c]);
        assert_close("concat pool", &values(&y), &concat_pool(&xv, n, c, pixels), 1e-6);
        let dy = formula("dy", 2 * n * c);
        let weights =
            Tensor::from_vec(dy.iter().map(|&v| v as f32).collect::<Vec<_>>(), (n, 2 * c), &Device::Cpu).unwrap();
        let grads = (y * weights).unwrap().sum_all().unwrap().backward().unwrap();
        let mut want = vec![0.0; xv.len()];
        for (map, (values, dx)) in xv.chunks(pixels).zip(want.chunks_mut(pixels)).enumerate() {
            let (image, channel) = (map / c, map % c);
            dx.iter_mut().for_each(|v| *v = dy[image * 2 * c + c + channel] / pixels as f64);
            let best = (0..pixels).fold(0, |best, i| if values[i] > values[best] { i } else { best });
            dx[best] += dy[image * 2 * c + channel];
        }
        assert_close("its gradient", &values(grads.get(&x).unwrap()), &want, 1e-5);
    }
}

#[test]
fn the_head_is_fastais() {
    let (n, c, h, w, classes) = (3, 6, 2, 5, 4);
    let params = params(0);
    let head = vision_head(c, classes, &params).unwrap();
    let names: Vec<String> =
        params.all().iter().filter(|p| p.kind() != Kind::Buffer).map(|p| p.name().into()).collect();
    assert_eq!(names, ["2.weight", "2.bias", "4.weight", "6.weight", "6.bias", "8.weight"]);
    for name in ["2.bias", "6.bias"] {
        assert!(values(params.get(name).unwrap().var()).iter().all(|&v| (v - 1e-3).abs() < 1e-9));
    }
    fill(&params);
    let xs = reference_images(&[n, c, h, w]);
    let of = |name: &str| values(params.get(name).unwrap().var());
    let batch_norm = |x: Vec<f64>, layer: &str| -> Vec<f64> {
        let of = |part: &str| of(&format!("{layer}.{part}"));
        let (weight, bias, mean, var) = (of("weight"), of("bias"), of("running_mean"), of("running_var"));
        let features = weight.len();
        let normal = |(i, v): (usize, f64)| {
            let f = i % features;
            (v - mean[f]) / (var[f] + 1e-5).sqrt() * weight[f] + bias[f]
        };
        x.into_iter().enumerate().map(normal).collect()
    };
    let linear = |x: &[f64], weight: &[f64], from: usize| -> Vec<f64> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        x.chunks(from).flat_map(|x| weight.chunks(from).map(move |w| dot(x, w))).collect()
    };
    let pooled = batch_norm(concat_pool(&values(&xs), n, c, h * w), "2");
    let hidden = linear(&pooled, &of("4.weight"), 2 * c).into_iter().map(|v| v.max(0.0)).collect();
    let want = linear(&batch_norm(hidden, "6"), &of("8.weight"), 512);
    let scores = head.forward(&xs, false).unwrap();
    assert_eq!(scores.dims(), [n, classes]);
    assert_close("scores", &values(&scores), &want, 1e-5);

    // In training, each parameter has its part; the two dropouts make two passes differ.
    let first = head.forward(&xs, true).unwrap();
    let grads = cross_entropy(&first, &reference_labels(n, classes)).unwrap().backward().unwrap();
    assert!(params.trainable().iter().all(|p| norm(&values(grads.get(p.var()).unwrap())) > 0.0));
    assert_ne!(values(&first), values(&head.forward(&xs, true).unwrap()));
}
