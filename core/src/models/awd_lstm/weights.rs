//! fast.ai's files.

use crate::error::Result;
use crate::models::weights::{LoadOptions, LoadReport, Weights};
use crate::nn::Params;

/// Loads what fast.ai's `learn.save` or `save_encoder` wrote into the network, or the encoder, whose parameters `params`
/// sees: `params` of the whole learner, or `params.pp(0)` of a language model for an encoder alone.
///
/// The same tensor has several names in such files (a tied decoder is the words' vectors; a layer with dropped weights
/// holds a copy of them): only those are read that are trained.
///
/// # Errors
/// As [`Weights::load_into`].
pub fn load_fastai(weights: &Weights, params: &Params) -> Result<LoadReport> {
    let names: Vec<&str> = weights.names().collect();
    let copies = names.iter().filter(|name| {
        let raw = name.strip_suffix("module.weight_hh_l0").map(|rest| format!("{rest}weight_hh_l0_raw"));
        name.ends_with("encoder_dp.emb.weight")
            || **name == "1.decoder.weight"
            || raw.is_some_and(|raw| names.contains(&raw.as_str()))
    });
    let options = copies.fold(LoadOptions::strict(), |options, name| options.ignore(name));
    weights.load_into(params, &options)
}

/// The parameters of the encoder among those of a language model or of a classifier.
pub fn encoder_params(params: &Params) -> Params {
    let of_classifier = params.pp(0).pp("module");
    if of_classifier.all().is_empty() { params.pp(0) } else { of_classifier }
}
