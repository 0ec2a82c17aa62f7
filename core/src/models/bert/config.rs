//! Sizes and dropouts.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a `config.json` beside published weights says, under transformers' names. What else it says does not matter
/// here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BertConfig {
    /// Pieces of words that there are.
    pub vocab_size: usize,
    /// Length of a piece's vector.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads of a layer's attention; they divide `hidden_size`.
    pub num_attention_heads: usize,
    /// Length of vectors between a layer's last two products.
    pub intermediate_size: usize,
    /// Pieces of the longest text.
    pub max_position_embeddings: usize,
    /// Kinds of texts, of which this library uses the first.
    pub type_vocab_size: usize,
    /// The activation between the last two products: `gelu`.
    pub hidden_act: String,
    /// Added to variances.
    pub layer_norm_eps: f64,
    /// What is dropped of the results of parts.
    pub hidden_dropout_prob: f64,
    /// Which share of places is not attended to.
    pub attention_probs_dropout_prob: f64,
}

impl BertConfig {
    /// The sizes of MiniLM-L6: 384 numbers in six layers of twelve heads, 22.7 million parameters.
    pub fn minilm_l6() -> BertConfig {
        BertConfig {
            vocab_size: 30522,
            hidden_size: 384,
            num_hidden_layers: 6,
            num_attention_heads: 12,
            intermediate_size: 1536,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            hidden_act: "gelu".into(),
            layer_norm_eps: 1e-12,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
        }
    }

    /// Reads a `config.json`.
    ///
    /// # Errors
    /// When the file cannot be read, lacks a size, or describes a network that this one is not.
    pub fn read(path: impl AsRef<Path>) -> Result<BertConfig> {
        let path = path.as_ref();
        let text = tallow_io::read::text(path, tallow_io::read::NOTES).map_err(Error::io(path))?;
        let config: BertConfig = serde_json::from_str(&text)
            .map_err(|e| Error::file(path, format!("is no configuration of a BERT model: {e}")))?;
        config.check().map_err(|e| Error::file(path, e.to_string()))?;
        Ok(config)
    }

    /// Whether there is such a network.
    ///
    /// # Errors
    /// When a size is 0, the heads do not divide the vector, or the activation is another.
    pub(super) fn check(&self) -> Result<()> {
        let BertConfig { hidden_size, num_attention_heads: heads, hidden_act, .. } = self;
        let sizes = [
            self.vocab_size,
            *hidden_size,
            self.num_hidden_layers,
            *heads,
            self.intermediate_size,
            self.max_position_embeddings,
            self.type_vocab_size,
        ];
        if sizes.contains(&0) {
            return Err(Error::config("config", format!("expected sizes above 0, got {self:?}")));
        }
        // The largest BERT that was ever published has 3.9 billion parameters; a damaged file may ask for any number.
        let most = [1 << 20, 1 << 14, 1 << 8, 1 << 10, 1 << 16, 1 << 14, 1 << 8];
        if let Some((size, most)) = sizes.iter().zip(most).find(|(size, most)| **size > *most) {
            return Err(Error::config(
                "config",
                format!("a size of {size}, where at most {most} is expected: {self:?}"),
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            let message = format!("expected a number between 0 and 1, got {}", self.layer_norm_eps);
            return Err(Error::config("layer_norm_eps", message));
        }
        if hidden_size % heads != 0 {
            let message = format!("{heads} heads do not divide {hidden_size}, the length of a vector");
            return Err(Error::config("num_attention_heads", message));
        }
        if hidden_act != "gelu" {
            let message = format!("expected `gelu`, got `{hidden_act}`, which this network does not have");
            return Err(Error::config("hidden_act", message));
        }
        Ok(())
    }
}
