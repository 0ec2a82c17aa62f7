//! Ratings by a neural network on embeddings.

use crate::error::{Error, Result};
use crate::kernels;
use crate::models::{TabularModel, TabularModelConfig, embedding_width};
use crate::nn::{Module, Params};
use candle_core::{DType, Tensor};

/// A user's rating of an item by a [`TabularModel`] of these two categories. fast.ai's `EmbeddingNN`.
///
/// # Shapes
/// `xs` `[N, 2]`, numbers of users and items (`u32`) → ratings `[N]`
pub struct EmbeddingNN(TabularModel);

impl EmbeddingNN {
    /// A network for `n_users` users and `n_items` items with hidden layers of these widths. The widths of the
    /// embeddings follow fast.ai's rule ([`embedding_width`]).
    ///
    /// # Errors
    /// When a layer has no width, the range is empty, or the device cannot hold it.
    pub fn new(
        n_users: usize,
        n_items: usize,
        layers: &[usize],
        y_range: Option<(f64, f64)>,
        params: &Params,
    ) -> Result<EmbeddingNN> {
        let config = TabularModelConfig { layers: layers.to_vec(), y_range, ..TabularModelConfig::default() };
        let embeddings = [n_users, n_items].map(|n| (n, embedding_width(n)));
        Ok(EmbeddingNN(TabularModel::new(&embeddings, 0, 1, &config, params)?))
    }

    /// The network itself: its embeddings are those of users and items.
    pub fn tabular(&self) -> &TabularModel {
        &self.0
    }
}

impl Module for EmbeddingNN {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let &[n, 2] = xs.dims() else {
            let message = format!("expected numbers of users and items, [N, 2], got {:?}", xs.dims());
            return Err(Error::shape(message, xs.dims()));
        };
        let numbers = Tensor::zeros((n, 0), DType::F32, xs.device())?;
        Ok(kernels::trace::column(&self.0.forward(xs, &numbers, train)?, 0)?)
    }
}
