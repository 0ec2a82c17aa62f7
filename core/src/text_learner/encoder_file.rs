//! An encoder in a file, with its words.

use crate::error::{Error, Result};
use crate::models::awd_lstm::{encoder_params, load_fastai};
use crate::models::weights::{self, Weights};
use crate::nn::Params;
use crate::words::TextVocab;
use std::collections::BTreeMap;
use std::path::Path;

/// The note that holds the words.
const VOCAB: &str = "vocab";

/// Writes the encoder among `params`, and its words, to a safetensors file.
pub(super) fn save(path: &Path, params: &Params, vocab: &TextVocab) -> Result<()> {
    let words =
        serde_json::to_string(vocab.tokens()).map_err(|e| Error::file(path, format!("cannot be written: {e}")))?;
    weights::save(&encoder_params(params), path, &BTreeMap::from([(VOCAB.to_string(), words)]))
}

/// Reads such a file into the encoder among `params`, whose words are `vocab`. Returns how many of them the file does
/// not know; they begin with the mean of all others.
pub(super) fn load(path: &Path, params: &Params, vocab: &TextVocab) -> Result<usize> {
    let weights = Weights::open(path)?;
    let words = weights.metadata().get(VOCAB);
    let words =
        words.ok_or_else(|| Error::file(path, "is not an encoder with its words: write it with `save_encoder`"))?;
    let words: Vec<String> =
        serde_json::from_str(words).map_err(|e| Error::file(path, format!("has no list of words: {e}")))?;
    load_matched(path, &weights, &TextVocab::from(words), &encoder_params(params), vocab)
}

/// Reads weights for the words `old` into `params`, whose words are `vocab`. Returns how many of these are not in
/// `old`.
pub(super) fn load_matched(
    path: &Path,
    weights: &Weights,
    old: &TextVocab,
    params: &Params,
    vocab: &TextVocab,
) -> Result<usize> {
    let rows: Vec<Option<u32>> = vocab.tokens().iter().map(|word| old.find(word)).collect();
    let unknown = rows.iter().filter(|row| row.is_none()).count();
    let rows = (old != vocab).then_some(rows.as_slice());
    load_fastai(weights, params, rows).map_err(|e| {
        Error::file(
            path,
            format!("does not fit the network: {e}; sizes and number of layers must be those of the file"),
        )
    })?;
    Ok(if rows.is_some() { unknown } else { 0 })
}
