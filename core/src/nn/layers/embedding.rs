//! The table of vectors.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Param, ParamKind, Params};
use candle_core::Tensor;

/// A vector for each of `rows` things: numbers of rows `[...]` (`u32`) to `[..., width]`. `weight` is `[rows, width]`.
/// PyTorch's `nn.Embedding`.
///
/// The gradient is that of the rows that a batch touches, and no larger ([`Param::row_gradient`]); the optimizers'
/// steps are those that a gradient of the whole table gives, in which the other rows have 0.
pub struct Embedding {
    weight: Param,
}

impl Embedding {
    /// A table with fast.ai's initial values, `trunc_normal_(std=0.01)`.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn new(rows: usize, width: usize, params: &Params) -> Result<Embedding> {
        Embedding::with_init(rows, width, Init::TruncNormal(0.01), params)
    }

    /// A table that begins like this.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn with_init(rows: usize, width: usize, init: Init, params: &Params) -> Result<Embedding> {
        let draw = |rng: &mut _, device: &_| init.draw((rows, width), [width, rows], rng, device);
        Ok(Embedding { weight: params.add("weight", ParamKind::Weight, draw)? })
    }

    /// The table.
    pub fn weight(&self) -> &Param {
        &self.weight
    }

    /// The vectors of rows with these numbers, `[...]` to `[..., width]`.
    ///
    /// # Errors
    /// When the numbers are not `u32`, or there is no such row.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let ys = kernels::embedding(&self.weight.tensor(), ids, Some(self.weight.row_key())).map_err(|e| {
            let what = format!("the table `{}` {:?}: {e}", self.weight.name(), self.weight.dims());
            Error::shape(what, ids.dims())
        })?;
        report("Embedding", &[&self.weight], &ys, 0);
        Ok(ys)
    }
}
