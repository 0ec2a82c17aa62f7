//! A model of ratings as an ONNX file.

use super::predictor::RatingPredictor;
use crate::error::{Error, Result};
use crate::nn::Module;
use crate::onnx::{Finish, OnnxOptions, OnnxSummary, Sample, Work};
use candle_core::Tensor;
use std::path::Path;

impl RatingPredictor {
    /// Writes the network as ONNX, for programs in other languages.
    ///
    /// The file takes `pairs`, `[N, 2]`, the numbers of users and items, and makes `predictions`, `[N]`. The notes
    /// `users` and `items` have the ids in the order of their numbers, from `#na#`, number 0, for those that are
    /// unknown. `N` is free. Of the options only [`OnnxOptions::half`] matters.
    ///
    /// # Errors
    /// [`Error::File`] when the file, read back and run, does not say what the network says; [`Error::Io`] when it
    /// cannot be written. No file is left then.
    pub fn export_onnx(&self, file: impl AsRef<Path>, options: OnnxOptions) -> Result<OnnxSummary> {
        let (users, items) = (self.users(), self.items());
        let list = |ids: &[String]| {
            serde_json::to_string(ids).map_err(|e| Error::Value(format!("a note cannot be written: {e}")))
        };
        let notes = [
            ("task", "ratings of items by users".to_string()),
            ("users", list(users.ids())?),
            ("items", list(items.ids())?),
        ];
        let work = Work {
            inputs: vec![Sample {
                name: "pairs",
                whole: true,
                free: None,
                draw: Box::new(|n, rng| {
                    let pair = |_| [rng.below(users.len()) as u32, rng.below(items.len()) as u32];
                    let pairs: Vec<u32> = (0..n).flat_map(pair).collect();
                    Ok(Tensor::from_vec(pairs, (n, 2), self.device())?)
                }),
            }],
            forward: &|inputs| self.network().forward(&inputs[0], false),
            finish: Finish::Plain,
            pixels: None,
            half: options.half,
            about: format!("ratings that {} users give {} items", users.len(), items.len()),
            notes: notes.into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
        };
        work.write(file.as_ref())
    }
}
