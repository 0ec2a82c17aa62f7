//! What every network promises: all that should learn does, and all that is frozen stays.

use crate::common::{params, reference_images, reference_labels, values};
use crate::reference::fill;
use std::collections::BTreeMap;
use tallow::kernels;
use tallow::models::{Arch, Network, NetworkOptions, NetworkOutputs};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Module, ParamKind, Params};
use tallow::optim::{Hypers, Optimizer, Sgd};

/// One of each family and of each kind of block, with the smallest image that all of its layers can work on.
const NETWORKS: [(Arch, usize); 10] = [
    (Arch::ResNet18, 64),
    (Arch::ResNet50, 64),
    (Arch::Vgg11, 32),
    (Arch::Vgg13Bn, 32),
    (Arch::DenseNet121, 64),
    (Arch::AlexNet, 96),
    (Arch::SqueezeNet1_1, 64),
    (Arch::MobileNetV3Small, 64),
    (Arch::ConvNextTiny, 64),
    (Arch::EfficientNetLite0, 64),
];

fn build(arch: Arch) -> (Network, Params) {
    let params = params(3);
    let network = arch.build_with(&NetworkOptions::new(5).without_dropout(), &params).unwrap();
    // ConvNeXt's own initial values scale its blocks by 1e-6: too little to be seen moving.
    fill(&params);
    network.split_groups(&params).unwrap();
    (network, params)
}

fn all_values(params: &Params) -> BTreeMap<String, Vec<f64>> {
    params.all().iter().map(|p| (p.name().to_string(), values(&p.tensor()))).collect()
}

/// A step of SGD. Gives for each parameter whether it had a gradient other than zero, and whether it moved.
fn step(network: &Network, params: &Params, side: usize) -> BTreeMap<String, (bool, bool)> {
    let before = all_values(params);
    let NetworkOutputs { logits, aux_logits: aux } =
        network.forward_with_aux(&reference_images(&[3, 3, side, side]), true).unwrap();
    let mut loss = cross_entropy(&logits, &reference_labels(3, 5)).unwrap();
    if let Some(aux) = aux {
        loss = (loss + cross_entropy(&aux, &reference_labels(3, 5)).unwrap()).unwrap();
    }
    let grads = kernels::backward(&loss).unwrap();
    Sgd::torch(0.0, 0.0).step(&params.trainable(), &grads, &Hypers::lr(0.1)).unwrap();
    let after = all_values(params);
    let judge = |p: &tallow::nn::Param| {
        let gradient = grads.get(p.var()).is_some_and(|grad| values(grad).iter().any(|&v| v != 0.0));
        (p.name().to_string(), (gradient, before[p.name()] != after[p.name()]))
    };
    params.all().iter().map(judge).collect()
}

#[test]
fn every_parameter_gets_a_gradient_and_moves() {
    for (arch, side) in NETWORKS.into_iter().chain([(Arch::InceptionV3, 299)]) {
        let (network, params) = build(arch);
        let seen = step(&network, &params, side);
        for param in params.all() {
            let (gradient, moved) = seen[param.name()];
            assert_eq!(gradient, param.kind() != ParamKind::Buffer, "{arch}: gradient of {}", param.name());
            assert!(moved, "{arch}: {} did not move", param.name());
        }
    }
}

#[test]
fn what_is_frozen_gets_no_gradient_and_stays() {
    for (arch, side) in NETWORKS {
        let (network, params) = build(arch);
        params.freeze();
        let last = params.n_groups() - 1;
        assert!(last >= 1, "{arch} has one group");
        let seen = step(&network, &params, side);
        for param in params.all() {
            let (gradient, moved) = seen[param.name()];
            // Normalisation goes on, as in fast.ai: its scale and shift learn, its statistics follow the data.
            let trains = param.group() == last || param.kind() == ParamKind::Norm;
            assert_eq!(gradient, trains && param.kind() != ParamKind::Buffer, "{arch}: gradient of {}", param.name());
            assert_eq!(moved, trains || param.kind() == ParamKind::Buffer, "{arch}: {}", param.name());
        }
    }
}

#[test]
fn inference_follows_every_change_of_the_parameters() {
    let images = |side| reference_images(&[2, 3, side, side]);
    for (arch, side) in NETWORKS {
        let (network, params) = build(arch);
        let scores = || values(&kernels::no_grad(|| network.forward(&images(side), false)).unwrap());
        let (first, snapshot) = (scores(), params.state_dict().unwrap());
        assert_eq!(first, scores(), "{arch}: the same twice");
        step(&network, &params, side);
        assert_ne!(first, scores(), "{arch}: weights packed before a step outlived it");
        params.load_state_dict(&snapshot).unwrap();
        assert_eq!(first, scores(), "{arch}: restored weights");
    }
}

#[test]
fn a_batch_is_no_more_than_its_images() {
    for (arch, side) in NETWORKS {
        let (network, _) = build(arch);
        let xs = reference_images(&[3, 3, side, side]);
        let together = kernels::no_grad(|| network.forward(&xs, false)).unwrap();
        for i in 0..3 {
            let alone = kernels::no_grad(|| network.forward(&xs.narrow(0, i, 1).unwrap(), false)).unwrap();
            crate::common::assert_close(arch.name(), &values(&alone), &values(&together.get(i).unwrap()), 2e-5);
        }
    }
}
