//! The network of a vision learner: a body with or without pretrained weights, and one of two heads.

use crate::error::{Error, Result};
use crate::models::weights::{LoadOptions, Weights};
use crate::models::zoo::{Interpolation, Preprocess};
use crate::models::{Arch, Network};
use crate::nn::Params;
use crate::rng::Rng;
use crate::vision::{CenterCrop, Compose, Filter, Normalize, Resize};
use candle_core::Device;
use serde::{Deserialize, Serialize};

/// What judges the body's features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// fast.ai's: concat pool, batch norm, dropout and two linear layers ([`crate::models::vision_head`]), named `head`.
    #[default]
    FastAi,
    /// The network's own, as published, with a new last layer for the classes at hand. PyTorch's tutorials replace `fc`
    /// in this way.
    Published,
}

/// What may be chosen about a [`super::VisionLearner`] besides its architecture.
#[derive(Clone, Copy, Default)]
pub struct VisionConfig<'a> {
    /// Weights of the architecture with its ImageNet head, of which the body's are taken. Random ones if `None`; then
    /// nothing is normalised either, as in fast.ai.
    pub weights: Option<&'a Weights>,
    /// The head.
    pub head: HeadKind,
    /// The seed of new weights and of dropout.
    pub seed: u64,
}

impl<'a> VisionConfig<'a> {
    /// fast.ai's head on a pretrained body.
    pub fn pretrained(weights: &'a Weights) -> VisionConfig<'a> {
        VisionConfig { weights: Some(weights), ..VisionConfig::default() }
    }

    /// Another head.
    #[must_use]
    pub fn head(self, head: HeadKind) -> VisionConfig<'a> {
        VisionConfig { head, ..self }
    }

    /// Another seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> VisionConfig<'a> {
        VisionConfig { seed, ..self }
    }
}

/// From a photo to what the published weights of an architecture want, normalisation included: the short side shrunk, the
/// middle cut out. torchvision's `weights.transforms()`.
pub fn preprocess(arch: Arch) -> Compose {
    preprocess_of(&arch.facts().published.preprocess)
}

/// The same for weights that want other pictures than their architecture's usual ones
/// ([`crate::models::hub::PublishedWeights`]).
pub fn preprocess_of(preprocess: &Preprocess) -> Compose {
    let Preprocess { size, resize, interpolation, mean, std } = *preprocess;
    let filter = match interpolation {
        Interpolation::Bilinear => Filter::Bilinear,
        Interpolation::Bicubic => Filter::Bicubic,
    };
    let shrink = Resize::short_side(resize).filter(filter);
    Compose::new().then(shrink).then(CenterCrop::new(size)).then(Normalize { mean, std })
}

/// What the published weights of an architecture want values to be normalised by.
pub(super) fn normalization(arch: Arch) -> Normalize {
    let Preprocess { mean, std, .. } = arch.facts().published.preprocess;
    Normalize { mean, std }
}

/// The network, its parameters in `params`, which is empty. A new last layer draws from `rng`.
pub(super) fn build(
    arch: Arch,
    head: HeadKind,
    n_classes: usize,
    weights: Option<&Weights>,
    params: &Params,
    rng: &Rng,
) -> Result<Network> {
    match head {
        HeadKind::FastAi => {
            let body = arch.body(params)?;
            if let Some(weights) = weights {
                // The file's own head is left over, whatever it is called; of the body nothing may be missing.
                let report = weights.load_into(params, &LoadOptions::partial())?;
                let missing = report.missing.len() + report.misshapen.len();
                if missing > 0 {
                    return Err(Error::Value(format!("these are no weights of {arch}: {report}")));
                }
            }
            body.with_vision_head(n_classes, &params.pp("head"))
        }
        HeadKind::Published => {
            let network = arch.build(n_classes, params)?;
            if let Some(weights) = weights {
                let mut options = LoadOptions::strict();
                for prefix in network.head_prefixes() {
                    options = if options == LoadOptions::strict() {
                        LoadOptions::new_head(prefix)
                    } else {
                        options.and_new_head(prefix)
                    };
                }
                weights.load_into(params, &options)?;
                begin_anew(n_classes, &network, params, rng)?;
            }
            Ok(network)
        }
    }
}

/// New last layers on a pretrained body begin as PyTorch's `nn.Linear` does, which is what its tutorials put there: uniformly
/// within one over the root of the number of inputs. Some architectures begin theirs much wider.
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
