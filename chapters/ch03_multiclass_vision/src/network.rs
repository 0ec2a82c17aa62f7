//! Published networks: which one, with what, and what it says.

use candle_core::{D, DType, Device, Tensor};
use tallow::cli::Session;
use tallow::event::Listener;
use tallow::models::hub::{self, HubConfig, PublishedWeights};
use tallow::models::{Arch, Network};
use tallow::nn::{Module, Params};
use tallow::rng::Rng;
use tallow::{Error, Result, kernels};
use tallow_datasets::DataFolder;

/// A network's published weights, and whom it stands in for.
pub(crate) struct Published {
    pub(crate) weights: PublishedWeights,
    pub(crate) stands_in_for: Option<Arch>,
}

/// The network that the reader asks for, fetched if need be; else the lecture's if it is on this machine; else the one
/// that is part of the program.
pub(crate) fn published(s: &Session, asked: Option<Arch>, lectures: Arch) -> Result<Published> {
    if let Some(arch) = asked {
        let config = HubConfig::from_env(&s.data).or_offline(s.offline);
        return Ok(Published { weights: hub::weights(arch, &config, &s.listener())?, stands_in_for: None });
    }
    if let Some(weights) = here(&s.data, lectures)? {
        return Ok(Published { weights, stands_in_for: None });
    }
    let config = HubConfig::from_env(&s.data).or_offline(true);
    let weights = hub::weights(Arch::EfficientNetLite0, &config, &Listener::default())?;
    Ok(Published { weights, stands_in_for: Some(lectures) })
}

/// The weights of an architecture, if they are on this machine.
pub(crate) fn here(data: &DataFolder, arch: Arch) -> Result<Option<PublishedWeights>> {
    match hub::weights(arch, &HubConfig::from_env(data).or_offline(true), &Listener::default()) {
        Ok(weights) => Ok(Some(weights)),
        Err(Error::Hub { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Published {
    /// The architecture's name.
    pub(crate) fn name(&self) -> &'static str {
        self.weights.arch.name()
    }

    /// What a page has to say where the network is not the lecture's.
    pub(crate) fn remark(&self, option: &str) -> Option<String> {
        let lectures = self.stands_in_for?;
        Some(format!(
            "The lecture uses {lectures}. Its weights are not on this machine, so **{} stands in**; `{option} \
             {lectures}` fetches them.",
            self.name()
        ))
    }
}

/// The network as published, with its 1,000 classes.
pub(crate) fn build(s: &Session, weights: &PublishedWeights) -> Result<Network> {
    build_on(&s.device, weights)
}

/// The same, without a session.
pub(crate) fn build_on(device: &Device, weights: &PublishedWeights) -> Result<Network> {
    // All parameters come from the weights, so the seed is of no consequence.
    let params = Params::new(&Rng::new(0).stream("network"), device);
    Ok(weights.network(1000, &params)?.network)
}

/// The probabilities of the thousand classes, `[N, 1000]`, row by row.
pub(crate) fn probabilities(network: &Network, xs: &Tensor) -> Result<Vec<Vec<f32>>> {
    let scores = kernels::no_grad(|| network.forward(xs, false))?.detach().to_dtype(DType::F32)?;
    Ok(candle_nn::ops::softmax(&scores, D::Minus1)?.to_vec2::<f32>()?)
}

/// The best `k` of the classes, with their probabilities.
pub(crate) fn top(probabilities: &[f32], k: usize) -> Vec<(&'static str, f32)> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order.into_iter().take(k).map(|i| (tallow_datasets::imagenet::CLASSES[i], probabilities[i])).collect()
}
