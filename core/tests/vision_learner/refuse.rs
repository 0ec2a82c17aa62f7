//! Weights and folders that do not fit.

use crate::{config, learner, stripes};
use candle_core::Device;
use std::fs;
use tallow::models::Arch;
use tallow::models::weights::save;
use tallow::nn::Params;
use tallow::rng::Rng;
use tallow::vision_learner::{HeadKind, Pretrained, load_learner_on, vision_learner};

#[test]
fn weights_of_another_network_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let error = vision_learner(&dls, Arch::ResNet18, config()).err().unwrap().to_string();
    assert!(error.contains("efficientnet_lite0.safetensors") && error.contains("conv1.weight"), "{error}");
}

#[test]
fn a_folder_that_is_missing_damaged_or_of_the_future_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let refused = || load_learner_on(&model, &Device::Cpu).err().unwrap().to_string();
    assert!(refused().contains("is missing"));
    learner(&stripes(folder.path())).export(&model).unwrap();
    let notes = model.join("learner.json");
    let whole = fs::read_to_string(&notes).unwrap();
    for (from, to, words) in [
        ("\"efficientnet_lite0\"", "\"mynet\"", "there is no network called `mynet`"),
        ("\"fastai\"", "\"other\"", "not known here"),
        ("\"efficientnet_lite0\"", "\"resnet18\"", "describe another network than the tensors"),
        ("\"format\": 2", "\"format\": 7", "update it"),
        ("\"image_classifier\"", "\"collab\"", "a model of the kind `collab`"),
    ] {
        assert!(whole.contains(from), "{from}");
        fs::write(&notes, whole.replace(from, to)).unwrap();
        let error = refused();
        assert!(error.contains(words) && error.contains("model"), "{error}");
    }
    fs::write(&notes, &whole).unwrap();
    let file = model.join("model.safetensors");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused().contains("model.safetensors"));
}

#[test]
fn weights_of_a_larger_relative_are_refused_though_all_that_the_body_has_would_fit() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let file = folder.path().join("resnet34.safetensors");
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    Arch::ResNet34.build(1000, &params).unwrap();
    save(&params, &file, &Default::default()).unwrap();
    for head in [HeadKind::FastAi, HeadKind::Published] {
        let config = config().pretrained(Pretrained::File(file.clone())).head(head);
        let error = vision_learner(&dls, Arch::ResNet18, config).err().unwrap().to_string();
        assert!(error.contains("resnet18") || error.contains("resnet34.safetensors"), "{error}");
        assert!(error.contains("layer1.2.conv1.weight"), "{error}");
    }
}

/// 33 training photos in batches of 32, and the like: every number of them trains.
#[test]
fn a_head_learns_from_any_number_of_photos() {
    let folder = tempfile::tempdir().unwrap();
    let learner = learner(&stripes(folder.path()));
    let n = learner.image_dls().train.n_items();
    for batch_size in [n - 1, n, (n - 1) / 2, 3] {
        let mut head = learner.head_learner(batch_size).unwrap();
        head.fit(1, 1e-3).unwrap_or_else(|e| panic!("{n} photos in batches of {batch_size}: {e}"));
    }
}
