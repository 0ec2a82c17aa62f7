//! What an exported image classifier is built from.

use super::config::HeadKind;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::models::Arch;
use crate::models::weights::{Recipe, Weights};
use crate::train::export::Exported;
use crate::vision::Compose;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The kind of learner, in an exported folder.
pub(super) const KIND: &str = "image_classifier";

/// What it takes to build a vision learner's network again and to show it an image.
#[derive(Debug, Clone)]
pub(super) struct ImageRecipe {
    pub(super) arch: Arch,
    pub(super) head: HeadKind,
    pub(super) tfms: Compose,
    /// That of the pretrained weights, or the architecture's own.
    pub(super) weights: Recipe,
}

/// An [`ImageRecipe`] as it stands in `learner.json`.
#[derive(Serialize, Deserialize)]
struct Written {
    arch: String,
    head: HeadKind,
    transforms: Compose,
    /// Models that were exported before this was kept have none; they were built without an epsilon of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<Recipe>,
}

impl ImageRecipe {
    /// What shapes training besides the data: the network and the weights that it begins with.
    pub(super) fn fingerprint(&self, weights: Option<&Weights>) -> Fingerprint {
        let content = weights.map_or("random".into(), |weights| format!("sha256 {}", &weights.sha256()[..16]));
        Fingerprint::default()
            .with("the network", self.arch)
            .with("the head", format!("{:?}", self.head))
            .with("the content of the weights", content)
            .with("the recipe of the weights", format!("{:?}", self.weights))
    }

    pub(super) fn to_json(&self, folder: &Path) -> Result<serde_json::Value> {
        let ImageRecipe { arch, head, ref tfms, weights } = *self;
        let written = Written { arch: arch.name().to_string(), head, transforms: tfms.clone(), weights: Some(weights) };
        serde_json::to_value(written)
            .map_err(|e| Error::file(folder, format!("the model cannot be described in JSON: {e}")))
    }

    pub(super) fn from_exported(folder: &Path, exported: &Exported) -> Result<ImageRecipe> {
        let useless =
            |why: String| Error::file(folder, format!("{why}; export the model again, or update this program"));
        if exported.kind != KIND {
            return Err(useless(format!("holds a model of the kind `{}`, not an `{KIND}`", exported.kind)));
        }
        if exported.vocab.is_empty() {
            return Err(useless("has no classes".into()));
        }
        let written: Written = serde_json::from_value(exported.recipe.clone())
            .map_err(|e| useless(format!("has a recipe (network, head, transforms) that is not known here: {e}")))?;
        let arch: Arch = written.arch.parse().map_err(|e| useless(format!("{e}")))?;
        let weights = written.weights.unwrap_or_else(|| Recipe::published(arch));
        Ok(ImageRecipe { arch, head: written.head, tfms: written.transforms, weights })
    }
}
