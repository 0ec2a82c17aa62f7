//! What is known of weights travels with them, into a learner and into what it exports.

use crate::stripes;
use candle_core::{Device, Tensor};
use tallow::models::hub::{PublishedWeights, WeightsSource};
use tallow::models::weights::{Recipe, save};
use tallow::models::{Arch, NetworkOptions};
use tallow::nn::Params;
use tallow::rng::Rng;
use tallow::vision_learner::{Pretrained, VisionConfig, load_learner_on, vision_learner};

fn features(network: &tallow::models::Network, images: &Tensor) -> Vec<f32> {
    let xs = network.body().forward_each(&tallow::kernels::channels_last(images).unwrap(), false, &mut |_, _| Ok(()));
    xs.unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Every entry of the zoo whose file on the Hub differs from torchvision's weights: in the epsilon, or in the images.
#[test]
fn a_learners_body_computes_what_the_published_network_does_for_every_recipe_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let dls = stripes(folder.path());
    let mut checked = Vec::new();
    for arch in Arch::ALL {
        let facts = arch.facts();
        let Some(file) = facts.files.first() else { continue };
        if file.norm_eps.is_none() && file.preprocess == facts.published.preprocess {
            continue;
        }
        // Any weights will do: what counts is that both networks are built alike.
        let path = folder.path().join(format!("{arch}.safetensors"));
        let params = Params::new(&Rng::new(5), &Device::Cpu);
        arch.build_with(&NetworkOptions { norm_eps: file.norm_eps, ..NetworkOptions::new(1000) }, &params).unwrap();
        save(&params, &path, &Default::default()).unwrap();
        let published = PublishedWeights {
            arch,
            source: WeightsSource::File(path),
            recipe: Recipe { norm_eps: file.norm_eps, preprocess: file.preprocess, n_classes: 1000 },
            licence: file.licence,
            top1: file.top1,
        };
        let images = Rng::new(7).randn((1, 3, 64, 64), 1.0, &Device::Cpu).unwrap();
        let whole = published.network(1000, &Params::new(&Rng::new(6), &Device::Cpu)).unwrap();
        let expected = features(&whole.network, &images);

        let weights = Pretrained::Weights(published.open().unwrap());
        let config = VisionConfig::default().pretrained(weights).device(&Device::Cpu);
        let learner = vision_learner(&dls, arch, config).unwrap();
        assert!(features(learner.network(), &images) == expected, "{arch}: the learner's body differs");
        let normalization = learner.image_dls().valid_tfms().normalization();
        assert_eq!(normalization, Some(file.preprocess.normalize()), "{arch}");

        // And so does the network that another program builds from the exported folder.
        let model = folder.path().join(format!("{arch}"));
        learner.export(&model).unwrap();
        let read = load_learner_on(&model, &Device::Cpu).unwrap();
        assert!(features(read.network(), &images) == expected, "{arch}: the exported body differs");
        checked.push(arch);
    }
    assert!(checked.contains(&Arch::MobileNetV3Small) && checked.contains(&Arch::ConvNextTiny), "{checked:?}");
}
