//! The two networks that predict ratings.

use super::recipe::CollabRecipe;
use crate::error::Result;
use crate::models::{EmbeddingDotBias, EmbeddingNN};
use crate::nn::{Module, Params};
use crate::rng::Rng;
use candle_core::{Device, Tensor};

/// A network from numbers of users and items, `[N, 2]`, to ratings `[N]`.
pub(super) enum CollabNetwork {
    DotBias(EmbeddingDotBias),
    Layers(Box<EmbeddingNN>),
}

impl CollabNetwork {
    /// The network of a recipe for so many users and items, `#na#` included; its parameters in `params`, which is
    /// empty.
    pub(super) fn build(recipe: &CollabRecipe, params: &Params) -> Result<CollabNetwork> {
        let (n_users, n_items, y_range) = (recipe.users.len(), recipe.items.len(), recipe.y_range);
        Ok(match &recipe.layers {
            None => {
                let network = EmbeddingDotBias::new(recipe.n_factors, n_users, n_items, y_range, params)?;
                CollabNetwork::DotBias(network)
            }
            Some(layers) => {
                let network = EmbeddingNN::new(n_users, n_items, layers, y_range, params)?;
                CollabNetwork::Layers(Box::new(network))
            }
        })
    }
}

impl Module for CollabNetwork {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        match self {
            CollabNetwork::DotBias(network) => network.forward(xs, train),
            CollabNetwork::Layers(network) => network.forward(xs, train),
        }
    }
}

/// Parameters for a new network.
pub(super) fn params(seed: u64, device: &Device) -> Params {
    Params::new(&Rng::new(seed).stream("network"), device)
}
