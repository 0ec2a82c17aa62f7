//! What an exported segmenter is built from.

use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::models::Arch;
use crate::models::weights::{Recipe, Weights};
use crate::train::export::Exported;
use crate::vision::Compose;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The kind of learner, in an exported folder.
pub(super) const KIND: &str = "image_segmenter";

/// What it takes to build a U-Net again and to show it a picture.
#[derive(Debug, Clone)]
pub(super) struct SegmenterRecipe {
    pub(super) arch: Arch,
    /// The validation transforms, normalisation included.
    pub(super) tfms: Compose,
    /// That of the pretrained weights, or the architecture's own.
    pub(super) weights: Recipe,
    pub(super) void: Option<u32>,
}

/// A [`SegmenterRecipe`] as it stands in `learner.json`.
#[derive(Serialize, Deserialize)]
struct Written {
    arch: String,
    transforms: Compose,
    weights: Recipe,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    void: Option<u32>,
}

impl SegmenterRecipe {
    /// What shapes training besides the data: the network and the weights that it begins with.
    pub(super) fn fingerprint(&self, weights: Option<&Weights>) -> Fingerprint {
        let content = weights.map_or("random".into(), |weights| format!("sha256 {}", &weights.sha256()[..16]));
        Fingerprint::default()
            .with("the network", format!("U-Net on {}", self.arch))
            .with("the content of the weights", content)
            .with("the recipe of the weights", format!("{:?}", self.weights))
    }

    pub(super) fn to_json(&self, folder: &Path) -> Result<serde_json::Value> {
        let SegmenterRecipe { arch, tfms, weights, void } = self.clone();
        serde_json::to_value(Written { arch: arch.name().to_string(), transforms: tfms, weights, void })
            .map_err(|e| Error::file(folder, format!("the model cannot be described in JSON: {e}")))
    }

    /// Reads what [`SegmenterRecipe::to_json`] wrote.
    pub(super) fn from_exported(folder: &Path, exported: &Exported) -> Result<SegmenterRecipe> {
        let useless = |why: String| crate::train::export::useless(folder, why);
        if exported.kind != KIND {
            return Err(useless(format!("holds a model of the kind `{}`, not an `{KIND}`", exported.kind)));
        }
        let n = exported.vocab.len();
        if n == 0 {
            return Err(useless("has no classes".into()));
        }
        let Written { arch, transforms: tfms, weights, void } = serde_json::from_value(exported.recipe.clone())
            .map_err(|e| useless(format!("has a recipe (network, transforms) that is not known here: {e}")))?;
        tfms.check().map_err(|e| useless(format!("has {e}")))?;
        if let Some(void) = void.filter(|&void| void as usize >= n) {
            return Err(useless(format!("has the void class {void}, and {n} classes (0 to n - 1)")));
        }
        let arch: Arch = arch.parse().map_err(|e| useless(format!("{e}")))?;
        Ok(SegmenterRecipe { arch, tfms, weights, void })
    }
}
