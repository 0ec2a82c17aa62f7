//! What exported models of texts are built from.

use crate::data::TextProcs;
use crate::error::{Error, Result};
use crate::models::awd_lstm::ClassifierOptions;
use crate::models::{AwdLstmConfig, BertConfig};
use crate::train::export::Exported;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The kinds of learners, in exported folders.
pub(super) const LANGUAGE_MODEL: &str = "language_model";
pub(super) const TEXT_CLASSIFIER: &str = "text_classifier";
pub(super) const TRANSFORMER_CLASSIFIER: &str = "transformer_classifier";

/// What it takes to build a language model again, and to make numbers of texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LanguageModelRecipe {
    pub(super) network: AwdLstmConfig,
    pub(super) text: TextProcs,
}

/// The same of a classifier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ClassifierRecipe {
    pub(super) network: AwdLstmConfig,
    pub(super) max_len: Option<usize>,
    pub(super) head_layers: Vec<usize>,
    pub(super) text: TextProcs,
}

/// What it takes to build a classifier with a published encoder again, and to make pieces of texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TransformerRecipe {
    pub(super) network: BertConfig,
    /// A `tokenizer.json`.
    pub(super) tokenizer: serde_json::Value,
    pub(super) max_tokens: usize,
    pub(super) normalize: bool,
}

impl ClassifierRecipe {
    pub(super) fn options(&self) -> ClassifierOptions {
        ClassifierOptions {
            bptt: self.text.seq_len,
            max_len: self.max_len,
            layers: self.head_layers.clone(),
            dropouts: vec![0.1; self.head_layers.len()],
            ..ClassifierOptions::default()
        }
    }
}

/// A recipe as an exported folder holds it.
pub(super) fn to_json(folder: &Path, recipe: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(recipe).map_err(|e| Error::file(folder, format!("the model cannot be described in JSON: {e}")))
}

/// Reads what [`to_json`] made.
pub(super) fn from_exported<T: DeserializeOwned>(folder: &Path, exported: &Exported, kind: &str) -> Result<T> {
    let useless = |why: String| crate::train::export::useless(folder, why);
    if exported.kind != kind {
        return Err(useless(format!("holds a model of the kind `{}`, not a `{kind}`", exported.kind)));
    }
    serde_json::from_value(exported.recipe.clone())
        .map_err(|e| useless(format!("has a recipe (network, words) that is not known here: {e}")))
}
