//! A classifier of texts as an ONNX file.

use super::predictor::TextPredictor;
use crate::error::{Error, Result};
use crate::nn::Module;
use crate::onnx::{Finish, OnnxOptions, OnnxSummary, Sample, Work};
use crate::rng::Rng;
use candle_core::Tensor;
use std::path::Path;

impl TextPredictor {
    /// Writes a classifier with a published encoder as ONNX, for programs in other languages.
    ///
    /// The file takes `ids`, `[N, L]`: the numbers of the pieces of each text, from `[CLS]` to `[SEP]`, and behind them
    /// 0 where another text is longer. Both axes are free. The note `tokenizer` is the `tokenizer.json` that makes
    /// pieces of a text (`tokenizers.Tokenizer.from_str` in Python), `max_tokens` how many of them are read at most,
    /// and `classes` the names of the classes whose `scores` and `probabilities` come out. Of the options only
    /// [`OnnxOptions::half`] matters.
    ///
    /// # Errors
    /// [`Error::Value`] for a network that reads words: its passes over a text piece by piece have no form in ONNX;
    /// [`Error::File`] when the file, read back and run, does not say what the network says; [`Error::Io`] when it
    /// cannot be written. No file is left then.
    pub fn export_onnx(&self, file: impl AsRef<Path>, options: OnnxOptions) -> Result<OnnxSummary> {
        let Some((network, pieces)) = self.transformer() else {
            let what = "an AWD-LSTM reads a text in stretches, for which ONNX has no form here; a classifier with a \
                        published encoder (`tallow text --encoder`) can be written";
            return Err(Error::Value(what.into()));
        };
        let (n_words, longest) = (pieces.vocab_size(), pieces.longest());
        let ids = |n: usize, rng: &mut Rng| -> Result<Tensor> {
            let length = (4 + n).min(longest);
            let mut ids = Vec::with_capacity(n * length);
            for text in 0..n {
                let pieces = if text == 0 { length } else { 1 + rng.below(length) };
                ids.extend((0..length).map(|i| if i < pieces { 1 + rng.below(n_words - 1) as u32 } else { 0 }));
            }
            Ok(Tensor::from_vec(ids, (n, length), self.device())?)
        };
        let json = |value: serde_json::Result<String>| {
            value.map_err(|e| Error::Value(format!("a note cannot be written: {e}")))
        };
        let notes = [
            ("task", "classification of texts".to_string()),
            ("classes", json(serde_json::to_string(self.classes()))?),
            ("tokenizer", json(serde_json::to_string(&pieces.to_json()?))?),
            ("max_tokens", longest.to_string()),
        ];
        let work = Work {
            inputs: vec![Sample { name: "ids", whole: true, free: Some("tokens"), draw: Box::new(ids) }],
            forward: &|inputs| network.forward(&inputs[0], false),
            finish: Finish::Softmax(1.0),
            pixels: None,
            half: options.half,
            about: format!("the class of a text: {}", self.classes().join(", ")),
            notes: notes.into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
        };
        work.write(file.as_ref())
    }
}
