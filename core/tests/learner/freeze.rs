//! Freezing and unfreezing: each trainable parameter receives a gradient and moves, each frozen one does not.

use crate::common::{params, reference_images, reference_labels, values};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tallow::Result;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::models::Arch;
use tallow::nn::losses::cross_entropy;
use tallow::nn::{ParamKind, Params};
use tallow::optim::Adam;
use tallow::train::{Callback, Learner, TrainState};

/// The magnitude of each parameter's gradient in the last step, where there was one.
#[derive(Clone, Default)]
struct Gradients(Arc<Mutex<BTreeMap<String, f64>>>);

impl Callback for Gradients {
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        let Some(grads) = &state.grads else { panic!("no gradients") };
        let size = |grad| values(grad).iter().map(|v| v.abs()).sum::<f64>();
        let found = state.params.all().into_iter();
        let found = found.filter_map(|p| grads.get(p.var()).map(|grad| (p.name().to_string(), size(grad))));
        *self.0.lock().unwrap() = found.collect();
        Ok(())
    }
}

/// Its weight decay would move a parameter that only seems to be frozen.
fn adam() -> Adam {
    let mut adam = Adam::fastai();
    (adam.wd, adam.wd_bn_bias) = (0.1, true);
    adam
}

/// A ResNet-18 for three classes on eight small images, in fast.ai's three groups.
fn resnet() -> (Learner, Params, Gradients) {
    let params = params(3);
    let network = Arch::ResNet18.build(3, &params).unwrap();
    network.split_groups(&params).unwrap();
    let loader = || {
        let data = TensorDataset::new(&reference_images(&[8, 3, 32, 32]), &reference_labels(8, 3)).unwrap();
        DataLoader::new(data, 8).unwrap()
    };
    let (dls, gradients) = (DataLoaders { train: loader(), valid: loader() }, Gradients::default());
    let learner = Learner::new(dls, network, &params, cross_entropy).opt(adam()).callback(gradients.clone());
    (learner, params, gradients)
}

/// Trains for an epoch and checks that exactly the parameters that `trains` names have moved, by a gradient.
#[track_caller]
fn assert_only_these_train(
    what: &str,
    (learner, params, gradients): &mut (Learner, Params, Gradients),
    trains: &dyn Fn(&str, ParamKind) -> bool,
) {
    let before = params.state_dict().unwrap();
    learner.fit(1, 1e-3).unwrap();
    let gradients = gradients.0.lock().unwrap().clone();
    let (mut trained, mut frozen) = (0, 0);
    for param in params.all() {
        let (name, kind) = (param.name(), param.kind());
        let moved = values(param.var()) != values(&before[name]);
        if kind == ParamKind::Buffer {
            // Running statistics go with the data, frozen or not, in PyTorch and fast.ai too.
            assert!(moved, "{what}: {name} stood still");
        } else if trains(name, kind) {
            assert!(gradients.get(name).is_some_and(|&size| size > 0.0), "{what}: {name} got no gradient");
            assert!(moved, "{what}: {name} stood still");
            trained += 1;
        } else {
            assert!(!gradients.contains_key(name) && !moved, "{what}: {name} is frozen, but got a gradient or moved");
            frozen += 1;
        }
    }
    assert_eq!(trained + frozen, 62, "parameters of a ResNet-18");
    assert!(trained > 0 && (frozen > 0 || what == "unfrozen"), "{what}: {trained} trained, {frozen} frozen");
}

fn part(name: &str) -> &str {
    name.split('.').next().unwrap()
}

#[test]
fn groups_are_frozen_except_for_their_norms() {
    let mut all = resnet();
    all.0.freeze().unwrap();
    assert_only_these_train("frozen", &mut all, &|name, kind| part(name) == "fc" || kind == ParamKind::Norm);
    all.0.freeze_to(-2).unwrap();
    let late = |name: &str| ["layer3", "layer4", "fc"].contains(&part(name));
    assert_only_these_train("two groups", &mut all, &|name, kind| late(name) || kind == ParamKind::Norm);
    all.0.freeze_to(1).unwrap();
    assert_only_these_train("from group 1", &mut all, &|name, kind| late(name) || kind == ParamKind::Norm);
    all.0.unfreeze().unwrap();
    assert_only_these_train("unfrozen", &mut all, &|_, _| true);
    for group in [3, -4, isize::MIN] {
        let error = all.0.freeze_to(group).unwrap_err().to_string();
        assert!(error.contains(&group.to_string()) && error.contains("3 groups"), "{error}");
    }
}

#[test]
fn named_parts_are_trained_and_all_else_is_frozen() {
    let mut all = resnet();
    // for name, _ in torchvision.models.resnet18().named_children(): print(name), without relu, maxpool, avgpool
    assert_eq!(all.1.children(), ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc"]);
    assert_eq!(all.1.pp("layer1.0").children(), ["conv1", "bn1", "conv2", "bn2"]);
    all.0.train_only(&["fc"]).unwrap();
    assert_only_these_train("the last layer", &mut all, &|name, _| part(name) == "fc");
    all.0.train_only(&["layer3", "layer4.1", "fc"]).unwrap();
    assert_only_these_train("parts", &mut all, &|name, _| {
        ["layer3", "fc"].contains(&part(name)) || name.starts_with("layer4.1.")
    });
    let error = all.0.train_only(&["fc", "layer5"]).unwrap_err().to_string();
    assert!(error.contains("`layer5`") && error.contains("layer4, fc"), "{error}");
    // `layer` is not a part, although names begin so.
    assert!(all.0.train_only(&["layer"]).is_err());
    assert_only_these_train("refused", &mut all, &|name, _| {
        ["layer3", "fc"].contains(&part(name)) || name.starts_with("layer4.1.")
    });
}

#[test]
fn freezing_makes_the_optimizer_forget() {
    // Momentum of before would move a parameter in another direction than its first step does.
    let trained_after = |forget: bool| {
        let (mut learner, params, _) = resnet();
        learner.fit(2, 1e-2).unwrap();
        if forget {
            learner.unfreeze().unwrap();
        }
        learner.fit(1, 1e-2).unwrap();
        params
    };
    let with_fresh_optimizer = || {
        let (mut learner, params, _) = resnet();
        learner.fit(2, 1e-2).unwrap();
        learner.opt(adam()).fit(1, 1e-2).unwrap();
        params
    };
    let fc = |params: &Params| values(params.get("fc.weight").unwrap().var());
    assert_eq!(fc(&trained_after(true)), fc(&with_fresh_optimizer()));
    assert_ne!(fc(&trained_after(true)), fc(&trained_after(false)));
}
