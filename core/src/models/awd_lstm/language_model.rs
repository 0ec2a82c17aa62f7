//! The next word.

use super::config::AwdLstmConfig;
use super::encoder::{AwdLstm, AwdMasks, AwdState, masked};
use super::outputs::{RnnOutputs, Slot};
use crate::error::Result;
use crate::kernels;
use crate::nn::{Dropout, Module, Param, ParamKind, Params, lock};
use candle_core::Tensor;
use std::sync::Mutex;

/// An [`AwdLstm`] with a decoder whose weights are the words' vectors: numbers of words `[N, T]` to scores of the word
/// after each, `[N, T, V]`. fast.ai's `get_language_model`, under its names.
///
/// It keeps the state of its layers from batch to batch, for batches that go on where the one before ended, until
/// [`LanguageModel::reset`].
pub struct LanguageModel {
    encoder: AwdLstm,
    bias: Param,
    output_drop: Dropout,
    state: Mutex<Option<AwdState>>,
    outputs: Slot,
}

impl LanguageModel {
    /// For a vocabulary of so many words.
    ///
    /// # Errors
    /// As [`AwdLstm::new`].
    pub fn new(vocab: usize, config: &AwdLstmConfig, params: &Params) -> Result<LanguageModel> {
        let decoder = params.pp(1);
        Ok(LanguageModel {
            encoder: AwdLstm::new(vocab, config, &params.pp(0))?,
            bias: decoder.pp("decoder").constant("bias", ParamKind::Bias, vocab, 0.0)?,
            output_drop: Dropout::new(config.dropouts.output_p, &decoder.pp("output_dp"))?,
            state: Mutex::default(),
            outputs: Slot::default(),
        })
    }

    /// The part that a classifier can go on with.
    pub fn encoder(&self) -> &AwdLstm {
        &self.encoder
    }

    /// Forgets what it has read. fast.ai's `reset`.
    pub fn reset(&self) {
        *lock(&self.state) = None;
        self.outputs.take();
    }

    /// The state after what it has read, if it has read anything.
    pub fn state(&self) -> Option<AwdState> {
        lock(&self.state).clone()
    }

    /// Goes on from this state.
    pub fn set_state(&self, state: Option<AwdState>) {
        *lock(&self.state) = state;
    }

    /// The last layer's results of the latest batch of training, once.
    pub fn take_outputs(&self) -> Option<RnnOutputs> {
        self.outputs.take()
    }

    /// Puts the parameters into fast.ai's groups: each layer, and last the words' vectors with the decoder.
    ///
    /// # Errors
    /// When `params` holds others too.
    pub fn split_groups(&self, params: &Params) -> Result<()> {
        let layers: Vec<String> = (0..self.encoder.n_layers()).map(|layer| format!("0.rnns.{layer}")).collect();
        let mut groups: Vec<Vec<&str>> = layers.iter().map(|layer| vec![layer.as_str()]).collect();
        groups.push(vec!["0.encoder", "1"]);
        params.split_groups(&groups.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// The forward pass with masks that the caller gives, `output` `[N, emb_size]` for what goes to the decoder.
    ///
    /// # Errors
    /// When a number is not one of the vocabulary, or a mask has another shape.
    pub fn forward_masked(&self, ids: &Tensor, masks: &AwdMasks, output: Option<&Tensor>) -> Result<Tensor> {
        let (batch, _) = ids.dims2()?;
        let state = match self.state() {
            Some(state) => state.resized(batch)?,
            None => self.encoder.zero_state(batch)?,
        };
        let mut after = None;
        let raw = kernels::recorded(|| {
            let (raw, state) = self.encoder.forward(ids, &state, masks)?;
            after = Some(state);
            Ok::<_, crate::error::Error>(raw)
        })?;
        self.set_state(after);
        let dropped = masked(&raw, output)?;
        let (table, bias) = (self.encoder.embedding().weight().tensor(), self.bias.tensor());
        let scores = kernels::linear(&dropped, &table, Some(&bias))?; // [N, T, V]
        self.outputs.put(RnnOutputs { raw, dropped });
        Ok(scores)
    }
}

impl Module for LanguageModel {
    fn forward(&self, ids: &Tensor, train: bool) -> Result<Tensor> {
        if !train {
            let scores = self.forward_masked(ids, &AwdMasks::default(), None);
            self.outputs.take();
            return scores;
        }
        let batch = ids.dims2()?.0;
        let table = self.encoder.embedding().weight();
        let output = self.output_drop.mask((batch, table.dims()[1]), table.var().dtype(), ids.device())?;
        self.forward_masked(ids, &self.encoder.draw_masks(batch)?, output.as_ref())
    }
}
