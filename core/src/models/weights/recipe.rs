//! The recipe that belongs to weights.

use crate::models::Arch;
use crate::vision::Preprocess;
use serde::{Deserialize, Serialize};

/// The settings that a network needs for certain weights. They accompany the weights from their source, through
/// [`super::Weights`], to a learner and to its exported model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The epsilon of batch normalisation if it is not the architecture's.
    #[serde(default)]
    pub norm_eps: Option<f64>,
    /// The preprocessing of images.
    pub preprocess: Preprocess,
    /// The number of classes of the weights' own head. 1,000 are ImageNet's
    /// (`tallow_datasets::imagenet::CLASSES`).
    pub n_classes: usize,
}

/// The number of ImageNet's classes.
const IMAGENET: usize = 1000;

impl Recipe {
    /// The recipe of the weights that torchvision publishes for an architecture.
    pub fn published(arch: Arch) -> Recipe {
        Recipe { norm_eps: None, preprocess: arch.facts().published.preprocess, n_classes: IMAGENET }
    }
}
