//! Weights from fast.ai's files, and for other words.

use crate::error::{Error, Result};
use crate::models::weights::Weights;
use crate::nn::Params;
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Loads what fast.ai's `learn.save` or `save_encoder` wrote into the parameters that `params` sees: those of a whole
/// network, or with [`encoder_params`] those of its encoder, for which a whole language model will do as well.
///
/// The same tensor has several names in such files (a tied decoder is the words' vectors; a layer with dropped weights
/// holds a copy of them): only those are read that are trained.
///
/// For another vocabulary `rows` says for each of its words which word of the file it is; those that the file does not
/// know begin with the mean of all words. fast.ai's `match_embeds`.
///
/// # Errors
/// When a tensor is missing, is one too many or has another shape; nothing is changed then.
pub fn load_fastai(weights: &Weights, params: &Params, rows: Option<&[Option<u32>]>) -> Result<()> {
    let names: Vec<&str> = weights.names().collect();
    let is_copy = |name: &str| {
        let raw = name.strip_suffix("module.weight_hh_l0").map(|rest| format!("{rest}weight_hh_l0_raw"));
        name.ends_with("encoder_dp.emb.weight")
            || name == "1.decoder.weight"
            || name.ends_with("num_batches_tracked")
            || raw.is_some_and(|raw| names.contains(&raw.as_str()))
    };
    // Of a language model's file, an encoder's names begin with its place in the network.
    let of_encoder = params.all().iter().any(|param| params.relative(param.name()) == "encoder.weight");
    let is_decoder_too = of_encoder && names.contains(&"0.encoder.weight");
    let is_wanted = |name: &str| !is_copy(name) && (name.starts_with("0.") || !is_decoder_too);
    let mut values = BTreeMap::new();
    for name in names.iter().filter(|name| is_wanted(name)) {
        let of_words = *name == "encoder.weight" || name.ends_with(".encoder.weight") || *name == "1.decoder.bias";
        let value = weights.tensor(name)?;
        let value = match rows {
            Some(rows) if of_words => matched(&value, rows)?,
            _ => value,
        };
        let (prefix, own) = (params.prefix(), name.strip_prefix("0.").filter(|_| of_encoder).unwrap_or(name));
        values.insert(if prefix.is_empty() { own.to_string() } else { format!("{prefix}.{own}") }, value);
    }
    params.load_state_dict(&values)
}

/// Rows of a tensor in another order; the mean of all where there is none.
///
/// # Errors
/// When there is no such row.
pub fn matched(tensor: &Tensor, rows: &[Option<u32>]) -> Result<Tensor> {
    let n = tensor.dims().first().copied().unwrap_or(0);
    if let Some(row) = rows.iter().flatten().find(|&&row| row as usize >= n) {
        return Err(Error::Value(format!(
            "there is no row {row} among {n}: the list of words is longer than the table"
        )));
    }
    let with_mean = Tensor::cat(&[tensor, &tensor.mean_keepdim(0)?], 0)?;
    let picks: Vec<u32> = rows.iter().map(|row| row.unwrap_or(n as u32)).collect();
    Ok(with_mean.index_select(&Tensor::new(picks, tensor.device())?, 0)?)
}

/// The parameters of the encoder among those of a language model or of a classifier.
pub fn encoder_params(params: &Params) -> Params {
    let of_classifier = params.pp(0).pp("module");
    if of_classifier.all().is_empty() { params.pp(0) } else { of_classifier }
}
