//! The settings of a vision learner.

use crate::error::Result;
use crate::event::Listener;
use crate::models::Arch;
use crate::models::hub::{self, HubConfig};
use crate::models::weights::Weights;
use crate::nn::losses::CrossEntropy;
use crate::train::{LearnerSettings, image_settings, learner_settings};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tallow_datasets::DataFolder;

/// The weights that a network begins with.
#[derive(Clone, Default)]
pub enum Pretrained {
    /// The published ones: part of the program, from this machine's caches, or from the Hugging Face Hub
    /// ([`crate::models::hub`]).
    #[default]
    Default,
    /// Those in a file, safetensors or PyTorch's `.pth`. They are taken to want the images of the architecture's
    /// published weights.
    File(PathBuf),
    /// Those that were opened before, with their recipe.
    Weights(Weights),
    /// Random ones: training from scratch, which takes many thousand images.
    None,
}

impl Pretrained {
    /// Opens the weights; `None` for random ones.
    pub(crate) fn open(self, arch: Arch, hub: Option<HubConfig>, listener: &Listener) -> Result<Option<Weights>> {
        match self {
            Pretrained::Default => {
                let hub = hub.unwrap_or_else(|| HubConfig::from_env(&DataFolder::resolve(None)));
                Ok(Some(hub::weights(arch, &hub, listener)?.open()?))
            }
            Pretrained::File(file) => Ok(Some(Weights::open(file)?)),
            Pretrained::Weights(weights) => Ok(Some(weights)),
            Pretrained::None => Ok(None),
        }
    }
}

/// The classification head on top of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// fast.ai's: concat pool, batch norm, dropout and two linear layers ([`crate::models::vision_head`]), named
    /// `head`.
    #[default]
    FastAi,
    /// The network's own, as published, with a new last layer for the classes of the data. PyTorch's tutorials replace
    /// `fc` in this way.
    Published,
}

/// The settings of a [`super::VisionLearner`] besides its data and its architecture. The default is fast.ai's:
/// pretrained weights, fast.ai's head, Adam; on the best device that this build and this machine have.
///
/// ```
/// use tallow::train::{accuracy, top_k_accuracy};
/// use tallow::vision_learner::{HeadKind, VisionConfig};
///
/// let config = VisionConfig::default().metrics([accuracy(), top_k_accuracy(5)]).head(HeadKind::Published);
/// ```
pub struct VisionConfig {
    pub(super) pretrained: Pretrained,
    pub(super) head: HeadKind,
    pub(super) hub: Option<HubConfig>,
    pub(super) threshold: f64,
    pub(super) loss: CrossEntropy,
    pub(super) common: LearnerSettings,
}

impl Default for VisionConfig {
    fn default() -> VisionConfig {
        VisionConfig {
            pretrained: Pretrained::Default,
            head: HeadKind::FastAi,
            hub: None,
            threshold: 0.5,
            loss: CrossEntropy::default(),
            common: LearnerSettings::default(),
        }
    }
}

impl VisionConfig {
    /// Sets the weights to begin with; [`Pretrained::Default`] by default.
    #[must_use]
    pub fn pretrained(self, pretrained: Pretrained) -> VisionConfig {
        VisionConfig { pretrained, ..self }
    }

    /// Sets the head; [`HeadKind::FastAi`] by default.
    #[must_use]
    pub fn head(self, head: HeadKind) -> VisionConfig {
        VisionConfig { head, ..self }
    }

    /// Sets where published weights are looked for; by default what the environment says ([`HubConfig::from_env`]).
    #[must_use]
    pub fn hub(self, hub: HubConfig) -> VisionConfig {
        VisionConfig { hub: Some(hub), ..self }
    }

    /// Sets the probability from which on an image is said to show a class, where it may show several; 0.5 by default.
    /// fast.ai's `thresh`.
    #[must_use]
    pub fn threshold(self, threshold: f64) -> VisionConfig {
        VisionConfig { threshold, ..self }
    }

    /// Sets the loss, for classes that count more than others or smoothed labels; plain cross entropy by default. Where
    /// an image may show several classes the loss is binary cross entropy, and this one must be the plain one.
    #[must_use]
    pub fn loss(self, loss: CrossEntropy) -> VisionConfig {
        VisionConfig { loss, ..self }
    }
}

learner_settings!(VisionConfig);
image_settings!(VisionConfig);
