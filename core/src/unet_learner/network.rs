//! The network of a learner for segmentation: a U-Net, its encoder with or without pretrained weights.

use crate::error::Result;
use crate::models::weights::Weights;
use crate::models::{Arch, DynamicUnet};
use crate::nn::Params;
use crate::rng::Rng;
use candle_core::Device;

/// The network, whose parameters go into `params`.
pub(super) fn build(arch: Arch, n_classes: usize, weights: Option<&Weights>, params: &Params) -> Result<DynamicUnet> {
    let network = DynamicUnet::new(arch, n_classes, params)?;
    if let Some(weights) = weights {
        weights.load_body_into(arch, &params.pp("layers").pp(0))?;
    }
    network.split_groups(params)?;
    Ok(network)
}

/// An empty store for its parameters.
pub(super) fn params(seed: u64, device: &Device) -> Params {
    Params::new(&Rng::new(seed).stream("network"), device)
}
