//! Sizes and dropouts.

use serde::{Deserialize, Serialize};

/// How large an AWD-LSTM is, and what it drops while training. fast.ai's `awd_lstm_lm_config` and
/// `awd_lstm_clas_config`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AwdLstmConfig {
    /// Length of a word's vector, and of the last layer's results.
    pub emb_size: usize,
    /// Length of the other layers' results.
    pub hidden: usize,
    /// LSTM layers.
    pub layers: usize,
    /// The number of the word that fills up short texts.
    pub pad: u32,
    /// What is dropped.
    pub dropouts: AwdDropouts,
}

/// Probabilities with which an AWD-LSTM drops this and that while training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AwdDropouts {
    /// Channels of what the last layer gives to the decoder or the head.
    pub output_p: f64,
    /// Channels between layers.
    pub hidden_p: f64,
    /// Channels of the words' vectors.
    pub input_p: f64,
    /// Whole words: all of a vector, wherever the word is.
    pub embed_p: f64,
    /// Weights from state to gates.
    pub weight_p: f64,
}

impl AwdLstmConfig {
    /// fast.ai's language model: 400 and 1152 numbers, three layers.
    pub fn language_model() -> AwdLstmConfig {
        let dropouts = AwdDropouts { output_p: 0.1, hidden_p: 0.15, input_p: 0.25, embed_p: 0.02, weight_p: 0.2 };
        AwdLstmConfig { emb_size: 400, hidden: 1152, layers: 3, pad: 1, dropouts }
    }

    /// fast.ai's classifier: of the same size, with more dropped.
    pub fn classifier() -> AwdLstmConfig {
        let dropouts = AwdDropouts { output_p: 0.4, hidden_p: 0.3, input_p: 0.4, embed_p: 0.05, weight_p: 0.5 };
        AwdLstmConfig { dropouts, ..AwdLstmConfig::language_model() }
    }

    /// Of another size.
    #[must_use]
    pub fn size(self, emb_size: usize, hidden: usize, layers: usize) -> AwdLstmConfig {
        AwdLstmConfig { emb_size, hidden, layers, ..self }
    }

    /// All probabilities times `factor`, fast.ai's `drop_mult`.
    #[must_use]
    pub fn drop_mult(self, factor: f64) -> AwdLstmConfig {
        let AwdDropouts { output_p, hidden_p, input_p, embed_p, weight_p } = self.dropouts;
        let dropouts = AwdDropouts {
            output_p: output_p * factor,
            hidden_p: hidden_p * factor,
            input_p: input_p * factor,
            embed_p: embed_p * factor,
            weight_p: weight_p * factor,
        };
        AwdLstmConfig { dropouts, ..self }
    }
}
