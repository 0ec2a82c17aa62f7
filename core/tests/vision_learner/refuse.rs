//! Weights and folders that do not fit.

use crate::{config, learner, stripes};
use candle_core::Device;
use std::fs;
use tallow::models::Arch;
use tallow::vision_learner::{load_learner_on, vision_learner};

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
        ("\"efficientnet_lite0\"", "\"resnet18\"", "do not fit resnet18"),
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
