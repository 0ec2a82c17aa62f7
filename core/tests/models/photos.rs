//! The embedded EfficientNet-Lite0 on a hundred photos: as many right as the original has.

use crate::common::params;
use candle_core::Tensor;
use std::path::{Path, PathBuf};
use tallow::kernels::no_grad;
use tallow::models::Arch;
use tallow::models::weights::{LoadOptions, Weights};
use tallow::nn::Module;
use tallow::vision::{CenterCrop, Compose, Image, Interpolation, Normalize, Resize};

/// One photo of every tenth class, which file names begin with ImageNet's numbers put in order.
fn photos() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/imagenet_samples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Some(files)
}

#[test]
fn the_embedded_weights_recognise_what_the_original_does() {
    let Some(files) = photos() else {
        eprintln!("skipped: ../shared/data/imagenet_samples is not here");
        return;
    };
    let (arch, params) = (Arch::EfficientNetLite0, params(0));
    let network = arch.build(1000, &params).unwrap();
    let weights = Weights::from_bytes(arch.name(), tallow_datasets::efficientnet_lite0::weights()).unwrap();
    weights.load_into(&params, &LoadOptions::strict()).unwrap();
    let wanted = arch.facts().published.preprocess;
    let transforms = Compose::new()
        .then(Resize::short_side(wanted.resize).interpolation(Interpolation::Bicubic))
        .then(CenterCrop::new(wanted.size))
        .then(Normalize { mean: wanted.mean, std: wanted.std });
    let pixels: Vec<Tensor> = files.iter().map(|file| transforms.tensor(Image::open(file).unwrap()).unwrap()).collect();
    let (mut first, mut among_five) = (0, 0);
    for (batch, pixels) in pixels.chunks(20).enumerate() {
        let scores = no_grad(|| network.forward(&Tensor::stack(pixels, 0).unwrap(), false)).unwrap();
        for (i, scores) in scores.to_vec2::<f32>().unwrap().iter().enumerate() {
            let right = scores[10 * (20 * batch + i)];
            let rank = scores.iter().filter(|&&score| score > right).count();
            (first, among_five) = (first + usize::from(rank == 0), among_five + usize::from(rank < 5));
        }
    }
    // efficientnet_lite_pytorch 0.1.0 on the same photos, in f32: 89 and 98. These weights are f16.
    eprintln!("{first} right at once, {among_five} among five, of {}", files.len());
    assert_eq!(files.len(), 100);
    assert!(first.abs_diff(89) <= 1 && among_five.abs_diff(98) <= 1, "{first} and {among_five}");
}
