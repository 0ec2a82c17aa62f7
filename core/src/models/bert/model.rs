//! The encoder.

use super::config::BertConfig;
use super::embeddings::Embeddings;
use super::layer::Layer;
use crate::error::{Error, Result};
use crate::kernels;
use crate::kernels::trace::{Operation, traced};
use crate::models::weights::{LoadOptions, Weights};
use crate::nn::Params;
use candle_core::Tensor;

/// BERT's encoder, without the `pooler` that its first training had. Numbers of pieces `[N, T]` to vectors
/// `[N, T, hidden_size]`. transformers' `BertModel(add_pooling_layer=False)`.
pub struct BertModel {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    width: usize,
}

impl BertModel {
    /// A network with transformers' initial values.
    ///
    /// # Errors
    /// When the sizes do not fit together, a dropout is not a probability, or the device cannot hold the parameters.
    pub fn new(config: &BertConfig, params: &Params) -> Result<BertModel> {
        config.check()?;
        let embeddings = Embeddings::new(config, &params.pp("embeddings"))?;
        let layer = |number| Layer::new(config, &params.pp("encoder").pp("layer").pp(number));
        let layers = (0..config.num_hidden_layers).map(layer).collect::<Result<_>>()?;
        Ok(BertModel { embeddings, layers, width: config.hidden_size })
    }

    /// Gives the network published weights. Those of the `pooler` are passed over.
    ///
    /// # Errors
    /// When the file has not all the parameters, others besides, or some of another shape.
    pub fn load(&self, weights: &Weights, params: &Params) -> Result<()> {
        let options = LoadOptions::strict().ignore("pooler").ignore("embeddings.position_ids");
        weights.load_into(params, &options).map(drop)
    }

    /// Length of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A vector for each piece: `ids` `[N, T]` (`u32`) to `[N, T, hidden_size]`. `mask` `[N · T]` says which are
    /// pieces of a text; the others are padding, whose vectors mean nothing. transformers' `last_hidden_state`.
    ///
    /// # Errors
    /// When there is no such piece, a text is too long, or one is padding alone.
    pub fn forward(&self, ids: &Tensor, mask: &[bool], train: bool) -> Result<Tensor> {
        let (texts, places) = ids.dims2()?;
        if mask.len() != texts * places {
            let message = format!("expected a mark for each piece, got {}", mask.len());
            return Err(Error::shape(message, ids.dims()));
        }
        kernels::recorded(|| {
            let mut xs = self.embeddings.forward(ids, train)?;
            for layer in &self.layers {
                xs = layer.forward(&xs, (ids, mask), train)?;
            }
            Ok(xs)
        })
    }

    /// A vector for each text: the mean of its pieces', `[N, hidden_size]`. sentence-transformers' mean pooling.
    ///
    /// # Errors
    /// As [`BertModel::forward`].
    pub fn pooled(&self, ids: &Tensor, mask: &[bool], train: bool) -> Result<Tensor> {
        let hidden = self.forward(ids, mask, train)?;
        let padding: Vec<bool> = mask.iter().map(|piece| !piece).collect();
        // Last, largest and mean, side by side.
        traced(
            || Operation::MaskedMean { xs: hidden.clone(), ids: ids.clone() },
            || Ok(kernels::masked_concat_pool(&hidden, &padding, None)?.narrow(1, 2 * self.width, self.width)?),
        )
    }
}
