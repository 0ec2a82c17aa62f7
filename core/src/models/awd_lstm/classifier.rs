//! The class of a text.

use super::config::AwdLstmConfig;
use super::encoder::{AwdLstm, AwdMasks, AwdState};
use super::outputs::{RnnOutputs, Slot};
use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{BatchNorm, Dropout, Linear, Module, Params};
use candle_core::{DType, Tensor};

/// How a [`TextClassifier`] reads, and what is on top of it. The default is fast.ai's.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierOptions {
    /// Words that are read at once; gradients do not reach further back.
    pub bptt: usize,
    /// Only the last words count for the head, so many at most, in whole stretches of `bptt`; all if `None`.
    pub max_len: Option<usize>,
    /// Widths of the head's layers before the last.
    pub layers: Vec<usize>,
    /// What each of the head's layers but the first drops of its input. The first has the encoder's `output_p`.
    pub dropouts: Vec<f64>,
    /// Whether to read as fast.ai does, where that depends on the other texts of a batch. It reads as many of the first
    /// texts as have a word where a stretch begins. A text that ends right there counts no more, but is one of the
    /// first: if there are such, as many of the shortest texts are not read to their end, or not at all. And of a short
    /// text it may take another step for the last ([`kernels::masked_concat_pool`]). False by default: all texts are
    /// read to their end, whatever others are beside them. Where no text is longer than `bptt`, both are the same.
    pub as_fastai: bool,
}

impl Default for ClassifierOptions {
    fn default() -> ClassifierOptions {
        ClassifierOptions { bptt: 72, max_len: Some(20 * 72), layers: vec![50], dropouts: vec![0.1], as_fastai: false }
    }
}

/// An [`AwdLstm`] that reads texts to their end, and a head that judges the last thing it made of them, the largest and
/// the mean: numbers of words `[N, T]` to scores `[N, classes]`. fast.ai's `get_text_classifier`, under its names.
///
/// Short texts are filled up with padding: in front in whole stretches of `bptt`, what is left behind. Texts come in
/// the order of their lengths, longest first.
pub struct TextClassifier {
    encoder: AwdLstm,
    pad: u32,
    bptt: usize,
    max_len: Option<usize>,
    as_fastai: bool,
    head: Vec<HeadLayer>,
    outputs: Slot,
}

/// fast.ai's `LinBnDrop`.
struct HeadLayer {
    norm: BatchNorm,
    dropout: Dropout,
    linear: Linear,
}

impl TextClassifier {
    /// For a vocabulary of so many words.
    ///
    /// # Errors
    /// As [`AwdLstm::new`]; and when a setting contradicts another.
    pub fn new(
        vocab: usize,
        n_classes: usize,
        config: &AwdLstmConfig,
        options: &ClassifierOptions,
        params: &Params,
    ) -> Result<TextClassifier> {
        let ClassifierOptions { bptt, max_len, layers, dropouts, as_fastai } = options;
        if *bptt == 0 || layers.len() != dropouts.len() {
            let what = format!("bptt {bptt}, {} layers, {} dropouts", layers.len(), dropouts.len());
            return Err(Error::config(
                "options",
                format!("expected bptt above 0 and a dropout for each layer: {what}"),
            ));
        }
        let encoder = AwdLstm::new(vocab, config, &params.pp(0).pp("module"))?;
        let widths: Vec<usize> =
            [3 * config.emb_size].into_iter().chain(layers.iter().copied()).chain([n_classes]).collect();
        let head = params.pp(1).pp("layers");
        let layer = |(i, p): (usize, &f64)| {
            let params = head.pp(i);
            // As in fast.ai, a dropout that drops nothing is none, and has no number.
            let linear = if *p > 0.0 { 2 } else { 1 };
            Ok(HeadLayer {
                norm: BatchNorm::with_shift(widths[i], 1e-3, &params.pp(0))?,
                dropout: Dropout::new(*p, &params.pp(1))?,
                linear: Linear::new(widths[i], widths[i + 1], false, &params.pp(linear))?,
            })
        };
        let head = [config.dropouts.output_p].iter().chain(dropouts).enumerate().map(layer).collect::<Result<_>>()?;
        Ok(TextClassifier {
            encoder,
            pad: config.pad,
            bptt: *bptt,
            max_len: *max_len,
            as_fastai: *as_fastai,
            head,
            outputs: Slot::default(),
        })
    }

    /// The part that comes from a language model.
    pub fn encoder(&self) -> &AwdLstm {
        &self.encoder
    }

    /// The last layer's results of the latest batch of training, once.
    pub fn take_outputs(&self) -> Option<RnnOutputs> {
        self.outputs.take()
    }

    /// Puts the parameters into fast.ai's groups: the words' vectors, each layer, the head.
    ///
    /// # Errors
    /// When `params` holds others too.
    pub fn split_groups(&self, params: &Params) -> Result<()> {
        let layers = (0..self.encoder.n_layers()).map(|layer| format!("0.module.rnns.{layer}"));
        let groups: Vec<String> = ["0.module.encoder".into()].into_iter().chain(layers).chain(["1".into()]).collect();
        let groups: Vec<[&str; 1]> = groups.iter().map(|group| [group.as_str()]).collect();
        params.split_groups(&groups.iter().map(<[&str; 1]>::as_slice).collect::<Vec<_>>())
    }

    /// What the encoder makes of texts `[N, T]`, `[N, T', emb_size]`, and which of its steps are padding. fast.ai's
    /// `SentenceEncoder`.
    ///
    /// # Errors
    /// When texts are not in the order of their lengths, or a number is not one of the vocabulary.
    pub fn encode(&self, ids: &Tensor, train: bool) -> Result<(Tensor, Vec<bool>)> {
        let (batch, steps) = ids.dims2()?;
        let padding: Vec<Vec<bool>> = ids
            .to_dtype(DType::U32)?
            .to_vec2::<u32>()?
            .iter()
            .map(|row| row.iter().map(|&id| id == self.pad).collect())
            .collect();
        let starts: Vec<usize> = (0..steps).step_by(self.bptt).collect();
        let kept = |start: &usize| self.max_len.is_none_or(|max_len| steps - start <= max_len);
        let first_kept = starts.iter().copied().find(kept).unwrap_or(steps);
        if first_kept == steps {
            let message = format!(
                "texts of {steps} words, of which the last {:?} in stretches of {} are none",
                self.max_len, self.bptt
            );
            return Err(Error::shape(message, ids.dims()));
        }
        let out = kernels::recorded(|| {
            let (mut state, mut outs) = (None::<AwdState>, Vec::new());
            for start in starts {
                let there = self.there(&padding, start);
                let rest = padding.get(there..).unwrap_or_default();
                if there == 0 || (!self.as_fastai && rest.iter().any(|row| has_begun(row, start))) {
                    let message = format!(
                        "texts must come in the order of their lengths, longest first, with padding in front in whole \
                         stretches of {}: at word {start} a text comes after one that has not begun",
                        self.bptt
                    );
                    return Err(Error::shape(message, ids.dims()));
                }
                let len = self.bptt.min(steps - start);
                let part = ids.narrow(0, 0, there)?.narrow(1, start, len)?.contiguous()?;
                let masks = if train { self.encoder.draw_masks(there)? } else { AwdMasks::default() };
                let before = match &state {
                    Some(state) => state.resized(there)?,
                    None => self.encoder.zero_state(there)?,
                };
                let (out, after) = self.encoder.forward(&part, &before, &masks)?;
                state = Some(after);
                if start >= first_kept {
                    outs.push(if there < batch { out.pad_with_zeros(0, 0, batch - there)? } else { out });
                }
            }
            Ok(if outs.len() == 1 { outs.remove(0) } else { Tensor::cat(&outs, 1)? })
        })?;
        Ok((out, padding.iter().flat_map(|row| &row[first_kept..]).copied().collect()))
    }
}

impl TextClassifier {
    /// How many texts there are to be read from word `start` on: the first ones.
    fn there(&self, padding: &[Vec<bool>], start: usize) -> usize {
        if self.as_fastai {
            return padding.iter().filter(|row| !row[start]).count();
        }
        padding.iter().take_while(|row| has_begun(row, start)).count()
    }
}

/// Whether there is a word up to this one, and not padding alone.
fn has_begun(padding: &[bool], word: usize) -> bool {
    padding[..=word].iter().any(|&padding| !padding)
}

impl Module for TextClassifier {
    fn forward(&self, ids: &Tensor, train: bool) -> Result<Tensor> {
        let (out, padding) = self.encode(ids, train)?;
        if train {
            self.outputs.put(RnnOutputs { raw: out.clone(), dropped: out.clone() });
        }
        let bptt = self.as_fastai.then_some(self.bptt);
        let mut xs = kernels::masked_concat_pool(&out, &padding, bptt)?; // [N, 3 emb_size]
        for (i, layer) in self.head.iter().enumerate() {
            xs = layer.dropout.forward(&layer.norm.forward(&xs, train)?, train)?;
            xs = layer.linear.forward(&xs, train)?;
            if i + 1 < self.head.len() {
                xs = kernels::relu(&xs)?;
            }
        }
        Ok(xs)
    }
}
