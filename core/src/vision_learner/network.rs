//! The network of a vision learner: a body with or without pretrained weights, and one of two heads.

use super::config::HeadKind;
use crate::error::Result;
use crate::models::weights::{LoadOptions, Weights};
use crate::models::{Arch, Network, NetworkOptions};
use crate::nn::Params;
use crate::rng::Rng;
use candle_core::Device;

/// The network, its parameters in `params`, which is empty; `norm_eps` is that of the recipe of the weights. A new last
/// layer draws from `rng`.
pub(super) fn build(
    arch: Arch,
    head: HeadKind,
    n_classes: usize,
    norm_eps: Option<f64>,
    weights: Option<&Weights>,
    params: &Params,
    rng: &Rng,
) -> Result<Network> {
    match head {
        HeadKind::FastAi => {
            let body = arch.body_with(norm_eps, params)?;
            if let Some(weights) = weights {
                weights.load_body_into(arch, params)?;
            }
            body.with_vision_head(n_classes, &params.pp("head"))
        }
        HeadKind::Published => {
            let network = arch.build_with(&NetworkOptions { norm_eps, ..NetworkOptions::new(n_classes) }, params)?;
            if let Some(weights) = weights {
                let heads = network.head_prefixes().iter();
                let options = heads.fold(LoadOptions::strict(), |options, head| options.and_new_head(head));
                weights.load_into(params, &options)?;
                begin_anew(n_classes, &network, params, rng)?;
            }
            Ok(network)
        }
    }
}

/// New last layers on a pretrained body begin as PyTorch's `nn.Linear` does, which is what its tutorials put there:
/// uniformly within one over the root of the number of inputs. Some architectures begin theirs much wider.
fn begin_anew(n_classes: usize, network: &Network, params: &Params, rng: &Rng) -> Result<()> {
    for param in network.head_prefixes().iter().flat_map(|prefix| params.pp(prefix).all()) {
        if let &[outputs, inputs] = param.dims()
            && outputs == n_classes
        {
            let bound = 1.0 / (inputs as f64).sqrt();
            let values = rng.stream(param.name()).rand((outputs, inputs), -bound, bound, params.device())?;
            param.var().set(&values.to_dtype(param.var().dtype())?)?;
        }
    }
    Ok(())
}

/// Parameters for a new network.
pub(super) fn params(seed: u64, device: &Device) -> Params {
    Params::new(&Rng::new(seed).stream("network"), device)
}
