//! What an exported image classifier is built from.

use super::config::HeadKind;
use super::strangers::Notes;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::models::Arch;
use crate::models::weights::{Recipe, Weights};
use crate::train::export::Exported;
use crate::vision::Compose;
use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The kind of learner, in an exported folder.
pub(super) const KIND: &str = "image_classifier";

/// The same for images that may show several classes, which a program that does not know them must not read as the
/// other.
const MULTI_LABEL_KIND: &str = "multi_label_image_classifier";

/// What it takes to build a vision learner's network again and to show it an image.
#[derive(Debug, Clone)]
pub(super) struct ImageRecipe {
    pub(super) arch: Arch,
    pub(super) head: HeadKind,
    pub(super) tfms: Compose,
    /// That of the pretrained weights, or the architecture's own.
    pub(super) weights: Recipe,
    /// Where an image may show several classes, the probability from which on it is said to show one.
    pub(super) threshold: Option<f64>,
    /// What scores are divided by before they become probabilities.
    pub(super) temperature: Option<f64>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strangers: Option<Notes>,
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

    pub(super) fn to_json(&self, folder: &Path, strangers: Option<Notes>) -> Result<serde_json::Value> {
        let ImageRecipe { arch, head, ref tfms, weights, threshold, temperature } = *self;
        let (arch, transforms) = (arch.name().to_string(), tfms.clone());
        let weights = Some(weights);
        let written = Written { arch, head, transforms, weights, threshold, temperature, strangers };
        serde_json::to_value(written)
            .map_err(|e| Error::file(folder, format!("the model cannot be described in JSON: {e}")))
    }

    /// Probabilities of scores `[N, classes]`: of all classes together 1, or where an image may show several, each by
    /// itself.
    pub(super) fn probabilities(&self, scores: &Tensor) -> Result<Tensor> {
        Ok(match self.threshold {
            None => candle_nn::ops::softmax(&(scores / self.temperature.unwrap_or(1.0))?, D::Minus1)?,
            Some(_) => candle_nn::ops::sigmoid(scores)?,
        })
    }

    /// The kind of learner.
    pub(super) fn kind(&self) -> &'static str {
        if self.threshold.is_some() { MULTI_LABEL_KIND } else { KIND }
    }

    /// Reads what [`ImageRecipe::to_json`] wrote, with the notes on training photos if there are any.
    pub(super) fn from_exported(folder: &Path, exported: &Exported) -> Result<(ImageRecipe, Option<Notes>)> {
        let useless = |why: String| crate::train::export::useless(folder, why);
        if ![KIND, MULTI_LABEL_KIND].contains(&exported.kind.as_str()) {
            return Err(useless(format!("holds a model of the kind `{}`, not an `{KIND}`", exported.kind)));
        }
        if exported.vocab.is_empty() {
            return Err(useless("has no classes".into()));
        }
        let written: Written = serde_json::from_value(exported.recipe.clone())
            .map_err(|e| useless(format!("has a recipe (network, head, transforms) that is not known here: {e}")))?;
        let arch: Arch = written.arch.parse().map_err(|e| useless(format!("{e}")))?;
        written.transforms.check().map_err(|e| useless(format!("has {e}")))?;
        let weights = written.weights.unwrap_or_else(|| Recipe::published(arch));
        let Written { head, transforms: tfms, threshold, temperature, strangers, .. } = written;
        if let Some(temperature) = temperature.filter(|&t| !(t > 0.0 && f64::is_finite(t))) {
            return Err(useless(format!("has the temperature {temperature}, which must be above 0")));
        }
        if (exported.kind == MULTI_LABEL_KIND) != threshold.is_some_and(|t| (0.0..=1.0).contains(&t)) {
            return Err(useless(format!("is of the kind `{}` with the threshold {threshold:?}", exported.kind)));
        }
        Ok((ImageRecipe { arch, head, tfms, weights, threshold, temperature }, strangers))
    }
}
