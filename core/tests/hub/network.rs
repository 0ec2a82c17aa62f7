//! From the Hub into a network: a file with ResNet-34's names and shapes.

use super::server::{Hub, behind_a_proxy, ranges};
use super::{Machine, pinned};
use candle_core::Device;
use std::collections::BTreeMap;
use tallow::models::Arch;
use tallow::models::hub::{PublishedWeights, WeightsSource};
use tallow::models::weights::Recipe;
use tallow::nn::Params;
use tallow::rng::Rng;
use tallow_io::{Dtype, safetensors};

/// One byte for each number, so that the file has 22 MB instead of 87, and what the Hub's files have besides.
fn resnet34() -> Vec<u8> {
    let params = Params::new(&Rng::new(1), &Device::Cpu);
    Arch::ResNet34.build(1000, &params).unwrap();
    let mut tensors = Vec::new();
    for (i, param) in params.all().iter().enumerate() {
        let (name, shape) = (param.name().to_string(), param.dims().to_vec());
        let bytes = (0..param.elem_count()).map(|j| ((i + j) % 100) as u8).collect();
        tensors.push(safetensors::Tensor { name, dtype: Dtype::U8, shape, bytes });
    }
    let name = "bn1.num_batches_tracked".to_string();
    tensors.push(safetensors::Tensor { name, dtype: Dtype::I64, shape: vec![], bytes: vec![0; 8] });
    safetensors::to_bytes(&tensors, &BTreeMap::new())
}

#[test]
fn a_file_with_the_names_of_resnet34_becomes_a_network() {
    if behind_a_proxy() {
        return;
    }
    let bytes = resnet34();
    let hub = Hub::with(&bytes);
    let mut machine = Machine::new(&hub.hub.url);
    machine.config.piece = 16 << 20;
    let path = machine.fetch(&pinned(&bytes)).unwrap();
    assert_eq!(ranges(&hub.network).len(), 2);

    let licence = Arch::ResNet34.facts().published.licence;
    let weights = PublishedWeights {
        arch: Arch::ResNet34,
        source: WeightsSource::File(path),
        recipe: Recipe::published(Arch::ResNet34),
        licence,
        top1: None,
    };
    // torchvision's resnet34().state_dict() has 218 tensors, 36 of them num_batches_tracked.
    let params = Params::new(&Rng::new(2), &Device::Cpu);
    assert_eq!(weights.network(1000, &params).unwrap().report.to_string(), "loaded 182 of 182 tensors");
    let first = params.get("conv1.weight").unwrap().var().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(first[..3], [0.0, 1.0, 2.0]);

    let params = Params::new(&Rng::new(2), &Device::Cpu);
    let report = weights.network(2, &params).unwrap().report;
    assert_eq!((report.loaded.len(), report.misshapen.len()), (180, 2));
}
