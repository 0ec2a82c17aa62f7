//! The settings of an AWD-LSTM.

use serde::{Deserialize, Serialize};

/// The sizes and dropouts of an AWD-LSTM. fast.ai's `awd_lstm_lm_config` and `awd_lstm_clas_config`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AwdLstmConfig {
    /// The width of the word embeddings and of the last layer. fast.ai's `emb_sz`, 400.
    pub emb_size: usize,
    /// The width of the other layers. fast.ai's `n_hid`, 1152.
    pub hidden: usize,
    /// The number of LSTM layers. fast.ai's `n_layers`, 3.
    pub layers: usize,
    /// The index of the padding token. fast.ai's `pad_token`, 1.
    pub pad: u32,
    /// The dropouts.
    pub dropouts: AwdDropouts,
}

/// The dropout probabilities of an AWD-LSTM, with fast.ai's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AwdDropouts {
    /// Dropout of the last layer's output, before the decoder or the head.
    pub output_p: f64,
    /// Dropout between layers.
    pub hidden_p: f64,
    /// Dropout of the embeddings' channels.
    pub input_p: f64,
    /// Dropout of whole words from the embedding table.
    pub embed_p: f64,
    /// Dropout of the hidden-to-hidden weights.
    pub weight_p: f64,
}

impl AwdLstmConfig {
    /// fast.ai's language model: widths 400 and 1152, three layers.
    pub fn language_model() -> AwdLstmConfig {
        let dropouts = AwdDropouts { output_p: 0.1, hidden_p: 0.15, input_p: 0.25, embed_p: 0.02, weight_p: 0.2 };
        AwdLstmConfig { emb_size: 400, hidden: 1152, layers: 3, pad: 1, dropouts }
    }

    /// fast.ai's text classifier: the same sizes with more dropout.
    pub fn classifier() -> AwdLstmConfig {
        let dropouts = AwdDropouts { output_p: 0.4, hidden_p: 0.3, input_p: 0.4, embed_p: 0.05, weight_p: 0.5 };
        AwdLstmConfig { dropouts, ..AwdLstmConfig::language_model() }
    }

    /// Sets the sizes.
    #[must_use]
    pub fn size(self, emb_size: usize, hidden: usize, layers: usize) -> AwdLstmConfig {
        AwdLstmConfig { emb_size, hidden, layers, ..self }
    }

    /// Multiplies all dropout probabilities by `factor`. fast.ai's `drop_mult`.
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
