//! Ratings by matrix factorisation.

use crate::error::{Error, Result};
use crate::kernels::trace::{affine, column, product, sum_last};
use crate::kernels::{self, Activation};
use crate::nn::{Embedding, Module, Params};
use candle_core::Tensor;

/// A user's rating of an item by matrix factorisation (Koren, Bell and Volinsky, 2009). fast.ai's `EmbeddingDotBias`,
/// with its parameters' names.
///
/// ```text
/// rating = low + (high - low) · sigmoid(u · i + b_u + b_i)      (without a range: u · i + b_u + b_i)
/// ```
///
/// # Shapes
/// `xs` `[N, 2]`, numbers of users and items (`u32`) → ratings `[N]`
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::models::EmbeddingDotBias;
/// use tallow::nn::{Module, Params};
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&tallow::rng::Rng::new(42), &Device::Cpu);
/// let model = EmbeddingDotBias::new(2, 1, 2, Some((0.0, 5.5)), &params)?;
/// let set = |name: &str, values: &[f32]| -> tallow::Result<()> {
///     let param = params.get(name)?;
///     Ok(param.var().set(&Tensor::new(values, &Device::Cpu)?.reshape(param.dims())?)?)
/// };
/// set("u_weight.weight", &[1.0, 2.0])?;
/// set("i_weight.weight", &[1.0, 0.0, 2.0, 0.5])?;
/// set("u_bias.weight", &[0.1])?;
/// set("i_bias.weight", &[-0.1, 0.0])?;
/// let rating = model.forward(&Tensor::new(&[[0u32, 1]], &Device::Cpu)?, false)?.to_vec1::<f32>()?;
/// assert!((rating[0] - 5.2629).abs() < 1e-4); // fast.ai's: 5.5 · sigmoid(1·2 + 2·0.5 + 0.1)
/// # Ok(())
/// # }
/// ```
pub struct EmbeddingDotBias {
    u_weight: Embedding,
    i_weight: Embedding,
    u_bias: Embedding,
    i_bias: Embedding,
    y_range: Option<(f64, f64)>,
}

impl EmbeddingDotBias {
    /// A network of `n_factors` factors for users and items, with fast.ai's initial values.
    ///
    /// # Errors
    /// When the device cannot allocate it.
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
        let (users, items) = (column(xs, 0)?, column(xs, 1)?); // [N]
        let product = sum_last(&product(&self.u_weight.forward(&users)?, &self.i_weight.forward(&items)?)?)?; // [N]
        let biases = column(&kernels::add(&self.u_bias.forward(&users)?, &self.i_bias.forward(&items)?)?, 0)?;
        in_range(&kernels::add(&product, &biases)?, self.y_range)
    }
}

/// `low + (high - low) * sigmoid(x)`. fast.ai's `sigmoid_range`.
pub(crate) fn in_range(xs: &Tensor, y_range: Option<(f64, f64)>) -> Result<Tensor> {
    Ok(match y_range {
        Some((low, high)) => affine(&kernels::activate(xs, Activation::Sigmoid)?, high - low, low)?,
        None => xs.clone(),
    })
}
