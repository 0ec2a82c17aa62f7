//! What does not fit is refused.

use crate::{block, config, loaders};
use candle_core::Device;
use tallow::Error;
use tallow::nn::SegmentationLoss;
use tallow::unet_learner::{Arch, Pretrained, load_segmenter_on, unet_learner};
use tallow::vision_learner::load_learner_on;

#[test]
fn what_does_not_fit_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pictures");
    let dls = loaders(&root);
    let message = |arch, config| unet_learner(&dls, arch, config).err().unwrap().to_string();
    let of_vgg = message(Arch::Vgg16, config());
    assert!(of_vgg.contains("vgg16 cannot be the encoder") && of_vgg.contains("efficientnet_lite0"), "{of_vgg}");
    let of_resnet = message(Arch::ResNet18, config());
    assert!(of_resnet.contains("does not fit the network"), "{of_resnet}");
    let loss = |loss: SegmentationLoss| config().loss(loss);
    let weights = SegmentationLoss { weights: Some(vec![1.0; 2]), ..SegmentationLoss::default() };
    let of_weights = message(Arch::EfficientNetLite0, loss(weights));
    assert!(of_weights.contains("2 class weights for the 3 codes"), "{of_weights}");
    let of_void = message(Arch::EfficientNetLite0, loss(SegmentationLoss::default().void(3)));
    assert!(of_void.contains("void class 3"), "{of_void}");

    let untrained = config().pretrained(Pretrained::None);
    let mut learner = unet_learner(&dls, Arch::EfficientNetLite0, untrained).unwrap();
    // Random weights train from the beginning, on pictures as they are.
    assert!(learner.params().trainable().iter().any(|param| param.name() == "layers.0._conv_stem.weight"));
    assert!(learner.segmentation_dls().valid_tfms().normalization().is_none());
    let others = block().codes(["ground", "square", "unknown", "more"]).dataloaders(&root, 4).unwrap();
    assert!(matches!(learner.set_dls(&others), Err(Error::Config { setting: "dls", .. })));
    let larger = block().dataloaders(&root, 3).unwrap();
    learner.set_dls(&larger).unwrap();
    assert_eq!(learner.dls().train.n_batches(), 4);

    let model = folder.path().join("model");
    learner.export(&model).unwrap();
    assert!(load_segmenter_on(&model, &Device::Cpu).is_ok());
    // A program for classes says what it got, and so does this one.
    let message = load_learner_on(&model, &Device::Cpu).err().unwrap().to_string();
    assert!(message.contains("`image_segmenter`"), "{message}");
    let notes = model.join("learner.json");
    let text = std::fs::read_to_string(&notes).unwrap();
    for (from, to, says) in [
        ("image_segmenter", "image_classifier", "holds a model of the kind `image_classifier`"),
        ("\"void\": 2", "\"void\": 3", "void class 3"),
        ("efficientnet_lite0", "resnet18", "describe another network than the tensors"),
        ("efficientnet_lite0", "vgg11", "cannot be the encoder"),
        ("\"unknown\"", "\"unknown\", \"more\"", "would fit"),
    ] {
        assert!(text.contains(from), "{text}");
        std::fs::write(&notes, text.replace(from, to)).unwrap();
        let message = load_segmenter_on(&model, &Device::Cpu).err().unwrap().to_string();
        assert!(message.contains(says), "{message}");
    }
}
