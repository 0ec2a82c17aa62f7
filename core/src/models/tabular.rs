//! fast.ai's network for tables.

use crate::error::{Error, Result};
use crate::kernels;
use crate::models::embedded_numbers::{EmbeddedNumbers, PeriodicConfig};
use crate::models::embedding_dot_bias::in_range;
use crate::nn::{BatchNorm, Dropout, Embedding, Linear, Module, Params, Relu, Sequential};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// The settings of a [`TabularModel`], with the defaults of fast.ai's `tabular_learner`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TabularModelConfig {
    /// The widths of the hidden layers; `[200, 100]` by default. fast.ai's `layers`.
    pub layers: Vec<usize>,
    /// The dropout after each hidden layer; none by default. fast.ai's `ps`.
    pub dropouts: Vec<f64>,
    /// The dropout of the embedded categories; 0 by default. fast.ai's `embed_p`.
    pub embedding_dropout: f64,
    /// Whether hidden layers have batch normalisation; true by default. fast.ai's `use_bn`.
    pub batch_norm: bool,
    /// The range of the predictions, by a sigmoid; none by default. fast.ai's `y_range`.
    pub y_range: Option<(f64, f64)>,
    /// The embedding of numbers; by default they are only batch-normalised.
    #[serde(default)]
    pub embedded_numbers: Option<PeriodicConfig>,
}

impl Default for TabularModelConfig {
    fn default() -> TabularModelConfig {
        TabularModelConfig {
            layers: vec![200, 100],
            dropouts: Vec::new(),
            embedding_dropout: 0.0,
            batch_norm: true,
            y_range: None,
            embedded_numbers: None,
        }
    }
}

/// A network for tables: embedded categories and batch-normalised numbers, concatenated, pass through hidden layers of
/// Linear, ReLU, batch normalisation and dropout. fast.ai's `TabularModel`, with its parameters' names, except that a
/// network without numbers has no empty `bn_cont`.
///
/// # Shapes
/// Categories `[N, n_categories]` (`u32`) and numbers `[N, n_numbers]` → scores or predictions `[N, n_outputs]`
pub struct TabularModel {
    embeds: Vec<Embedding>,
    embedding_dropout: Dropout,
    numbers: Numbers,
    n_numbers: usize,
    layers: Sequential,
    y_range: Option<(f64, f64)>,
}

enum Numbers {
    None,
    Normalised(BatchNorm),
    Embedded(EmbeddedNumbers),
}

/// fast.ai's rule for the width of an embedding of `n` classes, `#na#` included: `min(600, round(1.6·n^0.56))`, its
/// `emb_sz_rule`.
///
/// ```
/// assert_eq!([2, 10, 42, 100_000].map(tallow::models::embedding_width), [2, 6, 13, 600]);
/// ```
pub fn embedding_width(n: usize) -> usize {
    ((1.6 * (n as f64).powf(0.56)).round() as usize).min(600)
}

impl TabularModel {
    /// A network for columns of `embeddings` classes and widths ([`embedding_width`]), and for `n_numbers` numbers.
    ///
    /// # Errors
    /// When a dropout is not a probability, there is not one for each hidden layer, the range is empty, or there is no
    /// input at all.
    pub fn new(
        embeddings: &[(usize, usize)],
        n_numbers: usize,
        n_outputs: usize,
        config: &TabularModelConfig,
        params: &Params,
    ) -> Result<TabularModel> {
        config.check()?;
        if embeddings.is_empty() && n_numbers == 0 {
            return Err(Error::network("tabular", "a network needs a column of categories or of numbers"));
        }
        let embeds = embeddings.iter().enumerate();
        let embeds = embeds.map(|(i, &(n, width))| Embedding::new(n, width, &params.pp("embeds").pp(i)));
        let embeds = embeds.collect::<Result<Vec<_>>>()?;
        let embedding_dropout = Dropout::new(config.embedding_dropout, &params.pp("emb_drop"))?;
        let (numbers, numbers_width) = match &config.embedded_numbers {
            _ if n_numbers == 0 => (Numbers::None, 0),
            None => (Numbers::Normalised(BatchNorm::new(n_numbers, &params.pp("bn_cont"))?), n_numbers),
            Some(periodic) => {
                let embedded = EmbeddedNumbers::new(n_numbers, periodic, &params.pp("numbers"))?;
                (Numbers::Embedded(embedded), n_numbers * periodic.width)
            }
        };
        let mut width = embeddings.iter().map(|&(_, width)| width).sum::<usize>() + numbers_width;
        let mut layers = Sequential::new(&params.pp("layers"));
        for (i, &next) in config.layers.iter().enumerate() {
            let dropout = config.dropouts.get(i).copied().unwrap_or(0.0);
            layers = layers.add(|params| hidden(width, next, config.batch_norm, dropout, params))?;
            width = next;
        }
        let layers = layers.add(|params| Sequential::new(params).linear(width, n_outputs))?;
        Ok(TabularModel { embeds, embedding_dropout, numbers, n_numbers, layers, y_range: config.y_range })
    }

    /// Computes scores or predictions.
    ///
    /// # Shapes
    /// `categories` `[N, n_categories]` and `numbers` `[N, n_numbers]` → `[N, n_outputs]`
    ///
    /// # Errors
    /// When there is another number of columns, or a category's number is not below its number of classes.
    pub fn forward(&self, categories: &Tensor, numbers: &Tensor, train: bool) -> Result<Tensor> {
        let (n_categories, n_numbers) = (categories.dims2()?.1, numbers.dims2()?.1);
        if (n_categories, n_numbers) != (self.embeds.len(), self.n_numbers) {
            let (a, b) = (self.embeds.len(), self.n_numbers);
            let message = format!(
                "the network takes {a} columns of categories and {b} of numbers, and got {n_categories} and {n_numbers}"
            );
            return Err(Error::shape(message, categories.dims()));
        }
        kernels::recorded(|| {
            let mut parts = Vec::with_capacity(self.embeds.len() + 1);
            for (i, embedding) in self.embeds.iter().enumerate() {
                parts.push(embedding.forward(&kernels::trace::column(categories, i)?)?); // [N, width]
            }
            if !parts.is_empty() {
                parts = vec![self.embedding_dropout.forward(&side_by_side(&parts)?, train)?];
            }
            match &self.numbers {
                Numbers::None => {}
                Numbers::Normalised(norm) => parts.push(norm.forward(numbers, train)?),
                Numbers::Embedded(embedded) => parts.push(embedded.forward(numbers, train)?),
            }
            let scores = self.layers.forward(&side_by_side(&parts)?, train)?;
            in_range(&scores, self.y_range)
        })
    }

    /// The embeddings of the categories, in order.
    pub fn embeddings(&self) -> &[Embedding] {
        &self.embeds
    }
}

/// Features `[N, a]`, `[N, b]`, ... as `[N, a + b + ...]`.
fn side_by_side(parts: &[Tensor]) -> Result<Tensor> {
    match parts {
        [one] => Ok(one.clone()),
        several => Ok(kernels::cat(&several.iter().collect::<Vec<_>>())?),
    }
}

/// fast.ai's `LinBnDrop(lin_first=True)`.
fn hidden(inputs: usize, outputs: usize, norm: bool, dropout: f64, params: &Params) -> Result<Sequential> {
    let layers =
        Sequential::new(params).add(|params| Linear::new(inputs, outputs, !norm, params))?.add(|_| Ok(Relu))?;
    let layers = if norm { layers.add(|params| BatchNorm::with_shift(outputs, 1e-3, params))? } else { layers };
    if dropout > 0.0 { layers.dropout(dropout) } else { Ok(layers) }
}

impl TabularModelConfig {
    fn check(&self) -> Result<()> {
        let (n, layers) = (self.dropouts.len(), self.layers.len());
        if n != 0 && n != layers {
            let message = format!("{n} dropouts for {layers} hidden layers: expected one for each, or none");
            return Err(Error::config("dropouts", message));
        }
        if self.layers.contains(&0) {
            return Err(Error::config("layers", "a hidden layer needs a width of at least 1"));
        }
        match self.y_range {
            Some((low, high)) if !(low < high && low.is_finite() && high.is_finite()) => {
                Err(Error::config("y_range", format!("the range of predictions is empty: {low} to {high}")))
            }
            _ => Ok(()),
        }
    }
}
