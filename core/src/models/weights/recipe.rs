//! What has to be known of weights to use them.

use crate::models::Arch;
use crate::vision::Preprocess;
use serde::{Deserialize, Serialize};

/// How a network with certain weights is built and what it is shown. It travels with the weights: from the place where
/// they are found, by way of [`super::Weights`], to a learner and to the model that this exports.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The epsilon of the batch normalisations, where it is not the architecture's.
    #[serde(default)]
    pub norm_eps: Option<f64>,
    /// The images that the weights want.
    pub preprocess: Preprocess,
    /// The number of classes that the weights' own head tells apart. For 1,000 they are ImageNet's
    /// (`tallow_datasets::imagenet::CLASSES`).
    pub n_classes: usize,
}

/// The number of ImageNet's classes.
const IMAGENET: usize = 1000;

impl Recipe {
    /// That of the weights that torchvision publishes for an architecture.
    pub fn published(arch: Arch) -> Recipe {
        Recipe { norm_eps: None, preprocess: arch.facts().published.preprocess, n_classes: IMAGENET }
    }
}
