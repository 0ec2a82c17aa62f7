//! A head that is trained on cached features is the head that would have been trained behind the frozen body.

use crate::common::{assert_close, assert_same_bits, params, reference_images, reference_labels, values};
use crate::weights;
use std::sync::Arc;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::event::Listener;
use tallow::models::{Arch, FeaturesOf, HeadOf, NetworkOptions};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Module, Params};
use tallow::rng::Rng;
use tallow::train::{Learner, accuracy, cache_features, features};

fn loaders(batch_size: usize) -> DataLoaders {
    let data = TensorDataset::new(&reference_images(&[10, 3, 32, 32]), &reference_labels(10, 3)).unwrap();
    let loader = DataLoader::new(data, batch_size).unwrap();
    DataLoaders { train: loader.clone().shuffle(&Rng::new(8)).drop_last(), valid: loader }
}

/// Nothing random and no normalisation in it: a frozen part makes the same of an image in training and outside.
fn squeezenet() -> (Arc<tallow::models::Network>, Params) {
    let params = params(5);
    let options = NetworkOptions::new(3).without_dropout();
    (Arc::new(Arch::SqueezeNet1_1.build_with(&options, &params).unwrap()), params)
}

#[test]
fn they_train_the_same_head() {
    let (network, got) = squeezenet();
    let body_before = weights(&got.pp("features"));
    let listener = Listener::default();
    let cached = cache_features(&FeaturesOf(network.clone()), &loaders(4), 5, &Rng::new(8), &listener).unwrap();
    assert_eq!((cached.train.n_items(), cached.train.n_batches()), (10, 2));
    let mut head = Learner::new(cached, HeadOf(network.clone()), &got.pp("classifier"), cross_entropy);
    head.fit_one_cycle(4, 1e-2).unwrap();

    let (whole, want) = squeezenet();
    want.train_only(&["classifier"]).unwrap();
    let mut slow = Learner::new(loaders(5), whole, &want, cross_entropy);
    slow.fit_one_cycle(4, 1e-2).unwrap();
    let (fast, slow) = (head.recorder(), slow.recorder());
    assert_close("training losses", &fast.losses, &slow.losses, 1e-5);
    assert_close("validation losses", &fast.valid_losses(), &slow.valid_losses(), 1e-5);
    // Not a comparison of nothing with nothing: the head has learnt.
    assert_ne!(weights(&got.pp("classifier")), weights(&squeezenet().1.pp("classifier")));
    assert_close("head", &weights(&got.pp("classifier")), &weights(&want.pp("classifier")), 1e-4);
    assert_same_bits("body", &weights(&got.pp("features")), &body_before);

    // Body and head are one network again, and judge as the head alone did.
    let loss = *fast.valid_losses().last().unwrap();
    let whole = Learner::new(loaders(4), network, &got, cross_entropy).metrics([accuracy()]);
    assert_close("as one", &[whole.validate().unwrap().0], &[loss], 1e-5);
}

#[test]
fn they_come_in_the_order_of_the_items_and_of_all_of_them() {
    let (network, _) = squeezenet();
    let made = features(&FeaturesOf(network.clone()), &loaders(4).train, &Listener::default()).unwrap();
    let all = DataLoader::new(made, 10).unwrap().one_batch().unwrap();
    let want = network.features(&reference_images(&[10, 3, 32, 32]), false).unwrap();
    assert_close("features", &values(&all.xs), &values(&want), 1e-5);
    assert_eq!(values(&all.ys), values(&reference_labels(10, 3)));
    let scores = network.forward(&reference_images(&[10, 3, 32, 32]), false).unwrap();
    assert_close("scores", &values(&network.judge(&all.xs, false).unwrap()), &values(&scores), 1e-5);
}

#[test]
fn fastais_head_judges_pooled_features() {
    let params = params(4);
    let body = Arch::ResNet18.body(&params).unwrap();
    let network = body.with_vision_head(3, &params.pp("head")).unwrap();
    network.split_groups(&params).unwrap();
    let groups = ["conv1.weight", "layer2.0.bn1.bias", "layer3.0.conv1.weight", "head.8.weight"];
    assert_eq!(groups.map(|name| params.get(name).unwrap().group()), [0, 0, 1, 2]);
    let xs = reference_images(&[2, 3, 64, 64]);
    let features = network.features(&xs, false).unwrap();
    assert_eq!(features.dims(), [2, 1024]);
    let scores = values(&network.forward(&xs, false).unwrap());
    assert_close("scores", &values(&network.judge(&features, false).unwrap()), &scores, 1e-5);
    assert_eq!(params.pp("head").children(), ["2", "4", "6", "8"]);
    let error = Arch::AlexNet.body(&params.pp("other")).unwrap().with_vision_head(3, &params).err().unwrap();
    assert!(error.to_string().contains("a name of its own"), "{error}");
}
