//! From numbers of words to what the layers make of them.

use super::config::AwdLstmConfig;
use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::init::Init;
use crate::nn::{Dropout, Embedding, Lstm, LstmState, Params};
use candle_core::Tensor;

/// Embedding and LSTM layers (Merity, Keskar and Socher, 2017), numbers of words `[N, T]` to `[N, T, emb_size]`.
/// fast.ai's `AWD_LSTM`, under its names. Who calls it keeps its state.
pub struct AwdLstm {
    encoder: Embedding,
    rnns: Vec<Lstm>,
    embed_drop: Dropout,
    input_drop: Dropout,
    hidden_drops: Vec<Dropout>,
}

/// What is multiplied by what while training; nothing of all this otherwise.
#[derive(Debug, Clone, Default)]
pub struct AwdMasks {
    /// A factor for each word of the vocabulary, `[V]`.
    pub embed: Option<Tensor>,
    /// For the words' vectors, `[N, emb_size]`: the same at all steps.
    pub input: Option<Tensor>,
    /// For each layer's weights from state to gates, `[4 · hidden, hidden]`.
    pub weights: Vec<Option<Tensor>>,
    /// For each layer's results but the last one's, `[N, hidden]`: the same at all steps.
    pub hidden: Vec<Option<Tensor>>,
}

/// The state of all layers.
#[derive(Debug, Clone)]
pub struct AwdState(pub Vec<LstmState>);

impl AwdLstm {
    /// For a vocabulary of so many words, with fast.ai's initial values.
    ///
    /// # Errors
    /// When there are no layers, a dropout is not a probability, or the device cannot hold the parameters.
    pub fn new(vocab: usize, config: &AwdLstmConfig, params: &Params) -> Result<AwdLstm> {
        let &AwdLstmConfig { emb_size, hidden, layers, pad, dropouts } = config;
        if [vocab, emb_size, hidden, layers].contains(&0) {
            let what = format!("a vocabulary of {vocab} words and {layers} layers of {hidden} and {emb_size} numbers");
            return Err(Error::config("config", format!("expected at least one of each, got {what}")));
        }
        let encoder = Embedding::with_init(vocab, emb_size, Init::Uniform(0.1), &params.pp("encoder"))?;
        let sizes = |layer: usize| {
            let inputs = if layer == 0 { emb_size } else { hidden };
            (inputs, if layer + 1 == layers { emb_size } else { hidden })
        };
        let rnn = |layer: usize| {
            let (inputs, outputs) = sizes(layer);
            Lstm::with_weight_drop(inputs, outputs, dropouts.weight_p, &params.pp("rnns").pp(layer))
        };
        let hidden_drop = |layer: usize| Dropout::new(dropouts.hidden_p, &params.pp("hidden_dps").pp(layer));
        Ok(AwdLstm {
            encoder: encoder.with_padding(pad),
            rnns: (0..layers).map(rnn).collect::<Result<_>>()?,
            embed_drop: Dropout::new(dropouts.embed_p, &params.pp("encoder_dp"))?,
            input_drop: Dropout::new(dropouts.input_p, &params.pp("input_dp"))?,
            hidden_drops: (0..layers - 1).map(hidden_drop).collect::<Result<_>>()?,
        })
    }

    /// The words' vectors, to which a language model ties its decoder.
    pub fn embedding(&self) -> &Embedding {
        &self.encoder
    }

    /// Its layers.
    pub fn n_layers(&self) -> usize {
        self.rnns.len()
    }

    /// The state before the first word of `batch` texts.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn zero_state(&self, batch: usize) -> Result<AwdState> {
        Ok(AwdState(self.rnns.iter().map(|rnn| rnn.zero_state(batch)).collect::<Result<_>>()?))
    }

    /// Masks for a batch of training, drawn anew.
    ///
    /// # Errors
    /// When the device cannot hold them.
    pub fn draw_masks(&self, batch: usize) -> Result<AwdMasks> {
        let table = self.encoder.weight();
        let (dtype, device) = (table.var().dtype(), table.var().device().clone());
        let &[vocab, width] = table.dims() else { return Ok(AwdMasks::default()) };
        let hidden = self.hidden_drops.iter().zip(&self.rnns);
        Ok(AwdMasks {
            embed: self.embed_drop.mask(vocab, dtype, &device)?,
            input: self.input_drop.mask((batch, width), dtype, &device)?,
            weights: self.rnns.iter().map(Lstm::weight_mask).collect::<Result<_>>()?,
            hidden: hidden
                .map(|(drop, rnn)| drop.mask((batch, rnn.hidden()), dtype, &device))
                .collect::<Result<_>>()?,
        })
    }

    /// What the last layer makes of each word of `ids` `[N, T]` (`u32`), `[N, T, emb_size]`, going on from `state`; and
    /// the state after the last word, which carries no gradient.
    ///
    /// # Errors
    /// When a number is not one of the vocabulary, or `state` is of another batch.
    pub fn forward(&self, ids: &Tensor, state: &AwdState, masks: &AwdMasks) -> Result<(Tensor, AwdState)> {
        let mut xs = self.encoder.forward(ids)?;
        if let Some(mask) = &masks.embed {
            let factors = mask.index_select(&ids.flatten_all()?, 0)?.to_dtype(candle_core::DType::F32)?;
            xs = kernels::scale_samples(&xs, &factors.to_vec1::<f32>()?)?;
        }
        xs = masked(&xs, masks.input.as_ref())?;
        let mut after = Vec::with_capacity(self.rnns.len());
        for (layer, (rnn, state)) in self.rnns.iter().zip(&state.0).enumerate() {
            let mask = masks.weights.get(layer).and_then(Option::as_ref);
            let (ys, LstmState { hidden, cell }) = rnn.forward(&xs, state, mask)?;
            after.push(LstmState { hidden: hidden.detach(), cell: cell.detach() });
            xs = masked(&ys, masks.hidden.get(layer).and_then(Option::as_ref))?;
        }
        Ok((xs, AwdState(after)))
    }
}

/// All steps times the same mask.
pub(super) fn masked(xs: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
    Ok(match mask {
        Some(mask) => kernels::scale(xs, mask)?,
        None => xs.clone(),
    })
}

impl AwdState {
    /// How many texts it is of.
    pub fn batch(&self) -> usize {
        self.0.first().and_then(|state| state.hidden.dims().first().copied()).unwrap_or(0)
    }

    /// The state of the first `batch` texts; texts that were not there yet begin with zeros.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn resized(&self, batch: usize) -> Result<AwdState> {
        let resize = |tensor: &Tensor| {
            let before = tensor.dims()[0];
            if batch <= before { tensor.narrow(0, 0, batch) } else { tensor.pad_with_zeros(0, 0, batch - before) }
        };
        if batch == self.batch() {
            return Ok(self.clone());
        }
        let layer = |state: &LstmState| Ok(LstmState { hidden: resize(&state.hidden)?, cell: resize(&state.cell)? });
        Ok(AwdState(self.0.iter().map(layer).collect::<Result<_>>()?))
    }
}
