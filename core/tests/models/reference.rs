//! Each network against PyTorch's, with weights that a formula gives to both: see `fixtures/make.py`.

use crate::common::{assert_close, params, reference_images_from, reference_labels, reference_parameter, values};
use candle_core::{DType, Tensor};
use std::collections::BTreeMap;
use tallow::models::{Arch, Network, NetworkOptions, NetworkOutputs};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Module, Params};
use tallow::optim::{Hypers, Optimizer, Sgd};

/// Outputs, gradients and running statistics, relative to the largest magnitude. Where PyTorch's own f32 is farther
/// from its f64, our f32 may be four times as far, and our f64 must be as near as this.
const TOLERANCE: f64 = 1e-4;

/// Losses of three steps of SGD, the same way.
const STEPS: f64 = 1e-3;

pub(crate) fn fill(params: &Params) {
    for param in params.all() {
        let value = reference_parameter(param.name(), param.dims());
        param.var().set(&value.to_dtype(param.var().dtype()).unwrap()).unwrap();
    }
}

pub(crate) fn norm(xs: &[f64]) -> f64 {
    xs.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// What `make.py` wrote.
pub(crate) struct Fixture {
    source: String,
    values: BTreeMap<String, Vec<f64>>,
    pub(crate) tensors: Vec<Expected>,
}

/// A parameter with its gradient, or a running statistic.
pub(crate) struct Expected {
    pub(crate) name: String,
    shape: Vec<usize>,
    pub(crate) norm: f64,
    pub(crate) first: Vec<f64>,
}

fn numbers(words: &str) -> Vec<f64> {
    words.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

impl Fixture {
    pub(crate) fn read(name: &str, size: &str) -> Fixture {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/fixtures");
        let text = std::fs::read_to_string(folder.join(format!("{name}_{size}.txt"))).unwrap();
        let (head, tensors) = text.split_once("\ntensors\n").unwrap();
        let pairs = || head.lines().map(|line| line.split_once(' ').unwrap());
        let source = pairs().find(|(key, _)| *key == "images").unwrap().1.to_string();
        let values = pairs().filter(|(key, _)| *key != "images").map(|(key, words)| (key.to_string(), numbers(words)));
        let expected = |line: &str| {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            Expected {
                name: words[0].to_string(),
                shape: words[1].split('x').map(|n| n.parse().unwrap()).collect(),
                norm: words[2].parse().unwrap(),
                first: numbers(words[3]),
            }
        };
        Fixture { source, values: values.collect(), tensors: tensors.lines().map(expected).collect() }
    }

    fn images(&self, n: usize) -> Tensor {
        let size = &self["size"];
        reference_images_from(&self.source, &[n, 3, size[0] as usize, size[1] as usize])
    }

    /// What is allowed where `tolerance` is wanted: for f32 at least four times what PyTorch's f32 is off by.
    fn allowed(&self, index: usize, tolerance: f64, dtype: DType) -> f64 {
        if dtype == DType::F64 { tolerance } else { tolerance.max(4.0 * self["noise"][index]) }
    }

    fn noisy(&self) -> bool {
        !self.is_f32() && self["noise"].iter().any(|&noise| 4.0 * noise > TOLERANCE)
    }

    /// Whether PyTorch computed the numbers in f32.
    fn is_f32(&self) -> bool {
        self.values.contains_key("f32")
    }
}

impl std::ops::Index<&str> for Fixture {
    type Output = Vec<f64>;

    fn index(&self, key: &str) -> &Vec<f64> {
        &self.values[key]
    }
}

fn check(name: &str, size: &str) {
    let fixture = Fixture::read(name, size);
    let arch: Arch = name.parse().unwrap();
    let types = if fixture.noisy() { &[DType::F32, DType::F64][..] } else { &[DType::F32] };
    for &dtype in types {
        eprintln!("{dtype:?}");
        let params = params(0).with_dtype(dtype);
        let network = arch.build_with(&NetworkOptions::new(1000).without_dropout(), &params).unwrap();
        fill(&params);
        check_names(&fixture, &params);
        check_eval(&fixture, &network, dtype);
        check_training(&fixture, &network, &params, dtype);
    }
}

pub(crate) fn check_names(fixture: &Fixture, params: &Params) {
    let got: Vec<(String, Vec<usize>)> =
        params.all().iter().map(|p| (p.name().to_string(), p.dims().to_vec())).collect();
    let want: Vec<(String, Vec<usize>)> = fixture.tensors.iter().map(|t| (t.name.clone(), t.shape.clone())).collect();
    let differs = got.iter().zip(&want).find(|(got, want)| got != want);
    assert!(got == want, "{} tensors instead of {}: {differs:?}", got.len(), want.len());
}

fn check_eval(fixture: &Fixture, network: &Network, dtype: DType) {
    let xs = fixture.images(2).to_dtype(dtype).unwrap();
    check_scores(fixture, network, &xs);
    // Without gradients there are shorter ways.
    tallow::kernels::no_grad(|| check_scores(fixture, network, &xs));
}

fn check_scores(fixture: &Fixture, network: &Network, xs: &Tensor) {
    let logits = network.forward(xs, false).unwrap();
    assert_close("logits", &values(&logits.narrow(1, 0, 10).unwrap()), &fixture["logits_first10"], TOLERANCE);
    let norms: Vec<f64> = (0..2).map(|b| norm(&values(&logits.get(b).unwrap()))).collect();
    assert_close("logits' norms", &norms, &fixture["logits_l2"], TOLERANCE);
    assert_eq!(values(&logits.argmax(1).unwrap()), fixture["argmax"]);
    let features = network.features(xs, false).unwrap();
    assert_eq!(features.dims().iter().map(|&n| n as f64).collect::<Vec<_>>(), fixture["features_shape"]);
    let features = values(&features);
    assert_close("features", &features[..10], &fixture["features_first10"], TOLERANCE);
    assert_close("features' norm", &[norm(&features)], &fixture["features_l2"], TOLERANCE);
}

fn check_training(fixture: &Fixture, network: &Network, params: &Params, dtype: DType) {
    let (xs, ys) = (fixture.images(4).to_dtype(dtype).unwrap(), reference_labels(4, 1000));
    let (mut sgd, rates) = (Sgd::torch(0.9, 1e-4), Hypers::lr(fixture["lr"][0]));
    let mut losses = Vec::new();
    for step in 0..3 {
        let NetworkOutputs { logits, aux_logits: aux } = network.forward_with_aux(&xs, true).unwrap();
        let mut loss = cross_entropy(&logits, &ys).unwrap();
        if let Some(aux) = &aux {
            loss = (loss + (cross_entropy(aux, &ys).unwrap() * 0.4).unwrap()).unwrap();
            if step == 0 {
                for (what, scores) in [("train_logits", &logits), ("train_aux_logits", aux)] {
                    assert_close(what, &values(&scores.narrow(1, 0, 5).unwrap()), &fixture[what], TOLERANCE);
                }
            }
        }
        let grads = tallow::kernels::backward(&loss).unwrap();
        losses.extend(values(&loss));
        if step == 0 {
            check_rows("running statistic", fixture, fixture.allowed(2, TOLERANCE, dtype), &|t| {
                t.name.contains("running_").then(|| values(params.get(&t.name).unwrap().var()))
            });
            check_rows("gradient", fixture, fixture.allowed(1, TOLERANCE, dtype), &|t| {
                let param = params.get(&t.name).unwrap();
                (!t.name.contains("running_")).then(|| values(grads.get(param.var()).unwrap()))
            });
        }
        sgd.step(&params.trainable(), &grads, &rates).unwrap();
    }
    assert_close("first loss", &losses[..1], &fixture["losses"][..1], TOLERANCE);
    assert_close("losses", &losses, &fixture["losses"], fixture.allowed(3, STEPS, dtype));
}

pub(crate) fn check_rows(what: &str, fixture: &Fixture, tolerance: f64, got: &dyn Fn(&Expected) -> Option<Vec<f64>>) {
    let (mut worst, mut n) = (0.0, 0);
    let statistic = |t: &&Expected| t.name.contains("running_") == (what == "running statistic");
    let largest_norm = fixture.tensors.iter().filter(statistic).map(|t| t.norm).fold(0.0, f64::max);
    for expected in &fixture.tensors {
        let Some(got) = got(expected) else { continue };
        // Some gradients are zero, such as that of a bias whose sum the next normalisation takes away again.
        let zero = if fixture.is_f32() { 1e-5 } else { 1e-9 };
        let off = if expected.norm < zero * largest_norm {
            norm(&got) / largest_norm
        } else {
            let largest = got.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
            let off = got.iter().zip(&expected.first).map(|(g, w)| (g - w).abs() / largest).fold(0.0, f64::max);
            off.max((norm(&got) / expected.norm - 1.0).abs())
        };
        let name = &expected.name;
        assert!(
            off <= tolerance,
            "{what} of {name}: {:?} instead of {:?}, norm {} instead of {}, off by {off:.1e} (allowed: \
             {tolerance:.0e})",
            &got[..got.len().min(3)],
            expected.first,
            norm(&got),
            expected.norm
        );
        (worst, n) = (off.max(worst), n + 1);
    }
    eprintln!("{what}: {n} tensors, largest error {worst:.1e}, allowed {tolerance:.0e}");
}

#[test]
fn resnet18_at_64() {
    check("resnet18", "64");
}

#[test]
fn resnet18_at_96x64() {
    check("resnet18", "96x64");
}

#[test]
fn resnet34_at_64() {
    check("resnet34", "64");
}

#[test]
fn resnet50_at_64() {
    check("resnet50", "64");
}

#[test]
fn resnet101_at_64() {
    check("resnet101", "64");
}

#[test]
fn resnet152_at_64() {
    check("resnet152", "64");
}

#[test]
fn vgg11_at_224() {
    check("vgg11", "224");
}

#[test]
fn vgg16_at_224() {
    check("vgg16", "224");
}

#[test]
fn vgg11_bn_at_64() {
    check("vgg11_bn", "64");
}

#[test]
fn densenet121_at_64() {
    check("densenet121", "64");
}

#[test]
fn alexnet_at_224() {
    check("alexnet", "224");
}

#[test]
fn alexnet_at_99x140() {
    check("alexnet", "99x140");
}

#[test]
fn squeezenet1_0_at_64() {
    check("squeezenet1_0", "64");
}

#[test]
fn squeezenet1_1_at_64() {
    check("squeezenet1_1", "64");
}

#[test]
fn squeezenet1_1_at_75x98() {
    check("squeezenet1_1", "75x98");
}

#[test]
fn inception_v3_at_299() {
    check("inception_v3", "299");
}

#[test]
fn mobilenet_v3_small_at_64() {
    check("mobilenet_v3_small", "64");
}

#[test]
fn mobilenet_v3_large_at_64() {
    check("mobilenet_v3_large", "64");
}

#[test]
fn convnext_tiny_at_64() {
    check("convnext_tiny", "64");
}

#[test]
fn efficientnet_lite0_at_96x75() {
    check("efficientnet_lite0", "96x75");
}
