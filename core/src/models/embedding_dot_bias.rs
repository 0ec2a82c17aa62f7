//! The product of factors: how ratings are predicted.

use crate::error::{Error, Result};
use crate::kernels::{self, Activation};
use crate::nn::{Embedding, Module, Params};
use candle_core::Tensor;

/// The rating that a user gives an item: the product of the user's and the item's factors, and a bias of each, pressed
/// into a range by a sigmoid if there is one. `[N, 2]` numbers of users and items to `[N]` ratings. fast.ai's
/// `EmbeddingDotBias`, under its names.
pub struct EmbeddingDotBias {
    u_weight: Embedding,
    i_weight: Embedding,
    u_bias: Embedding,
    i_bias: Embedding,
    y_range: Option<(f64, f64)>,
}

impl EmbeddingDotBias {
    /// A network of so many factors for so many users and items, with fast.ai's initial values.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn new(
        n_factors: usize,
        n_users: usize,
        n_items: usize,
        y_range: Option<(f64, f64)>,
        params: &Params,
    ) -> Result<EmbeddingDotBias> {
        let table = |name: &str, rows, width| Embedding::new(rows, width, &params.pp(name));
        Ok(EmbeddingDotBias {
            u_weight: table("u_weight", n_users, n_factors)?,
            i_weight: table("i_weight", n_items, n_factors)?,
            u_bias: table("u_bias", n_users, 1)?,
            i_bias: table("i_bias", n_items, 1)?,
            y_range,
        })
    }

    /// The items' factors and biases.
    pub fn items(&self) -> (&Embedding, &Embedding) {
        (&self.i_weight, &self.i_bias)
    }

    /// The users' factors and biases.
    pub fn users(&self) -> (&Embedding, &Embedding) {
        (&self.u_weight, &self.u_bias)
    }
}

impl Module for EmbeddingDotBias {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let &[_, 2] = xs.dims() else {
            let message = format!("expected numbers of users and items, [N, 2], got {:?}", xs.dims());
            return Err(Error::shape(message, xs.dims()));
        };
        let (users, items) = (xs.narrow(1, 0, 1)?.squeeze(1)?, xs.narrow(1, 1, 1)?.squeeze(1)?); // [N]
        let product = (self.u_weight.forward(&users)? * self.i_weight.forward(&items)?)?.sum(1)?; // [N]
        let biases = (self.u_bias.forward(&users)? + self.i_bias.forward(&items)?)?.squeeze(1)?;
        in_range(&(product + biases)?, self.y_range)
    }
}

/// `low + (high - low) * sigmoid(x)`. fast.ai's `sigmoid_range`.
pub(crate) fn in_range(xs: &Tensor, y_range: Option<(f64, f64)>) -> Result<Tensor> {
    Ok(match y_range {
        Some((low, high)) => kernels::activate(xs, Activation::Sigmoid)?.affine(high - low, low)?,
        None => xs.clone(),
    })
}
