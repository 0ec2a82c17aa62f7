//! The learner for pictures: pretrained, trained, exported, read again.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod dls;
mod multi_label;
mod predict;
mod python;
mod recipes;
mod refuse;
mod resume;
mod statistics;
mod trust;

use candle_core::Device;
use std::path::{Path, PathBuf};
use tallow::data::{DataBlock, ImageDataLoaders};
use tallow::models::{Arch, weights::Weights};
use tallow::train::accuracy;
use tallow::vision::{Image, RandomHorizontalFlip, RandomRotation, Resize, Transform};
use tallow::vision_learner::{Pretrained, VisionConfig, VisionLearner, vision_learner};

/// Twelve pictures each of stripes across and stripes down, in random greys.
pub(crate) fn stripes(root: &Path) -> ImageDataLoaders {
    for i in 0..12 {
        let (low, width) = (20 + 7 * i, 3 + i % 3);
        let stripe = |at: usize| [if (at / width).is_multiple_of(2) { low as u8 } else { 255 - low as u8 }; 3];
        let across = Image::from_fn(80, 70, |_, y| stripe(y)).unwrap();
        let down = Image::from_fn(70, 80, |x, _| stripe(x)).unwrap();
        across.save(root.join(format!("across/{i:02}.png"))).unwrap();
        down.save(root.join(format!("down/{i:02}.png"))).unwrap();
    }
    let tfms: Vec<Transform> =
        vec![Resize::squish(64).into(), RandomHorizontalFlip::default().into(), RandomRotation::new(10.0).into()];
    DataBlock::images().item_tfms(tfms).workers(0).dataloaders(root, 4).unwrap()
}

pub(crate) fn weights() -> Weights {
    Weights::from_bytes("efficientnet_lite0.safetensors", tallow_datasets::efficientnet_lite0::weights()).unwrap()
}

pub(crate) fn learner(dls: &ImageDataLoaders) -> VisionLearner {
    vision_learner(dls, Arch::EfficientNetLite0, config().seed(3).metrics([accuracy()])).unwrap()
}

/// The embedded weights, on the CPU.
pub(crate) fn config() -> VisionConfig {
    VisionConfig::default().pretrained(Pretrained::Weights(weights())).device(&Device::Cpu)
}

/// A learner whose head has learnt the stripes on cached features.
pub(crate) fn trained(dls: &ImageDataLoaders) -> VisionLearner {
    let learner = learner(dls);
    let mut head = learner.head_learner(8).unwrap().metrics([accuracy()]);
    head.fit_one_cycle(6, 1e-2).unwrap();
    learner
}

pub(crate) fn files(dls: &ImageDataLoaders) -> Vec<PathBuf> {
    dls.valid.files().to_vec()
}
