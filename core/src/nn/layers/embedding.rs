//! Embeddings.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Param, ParamKind, Params};
use candle_core::Tensor;

/// A table that maps row numbers to learned vectors. PyTorch's `nn.Embedding`.
///
/// The gradient holds only the rows that a batch looked up ([`Param::row_gradient`]). The optimizers still take the
/// same steps as with a dense gradient, in which all other rows are 0.
///
/// # Shapes
/// - `ids` `[..]` (`u32`) → `[.., width]`
/// - `weight` `[rows, width]`
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{Embedding, Params};
/// use tallow::rng::Rng;
/// # fn main() -> tallow::Result<()> {
/// let table = Embedding::new(3, 2, &Params::new(&Rng::new(42), &Device::Cpu))?;
/// table.weight().var().set(&Tensor::new(&[[0f32, 1.], [2., 3.], [4., 5.]], &Device::Cpu)?)?;
/// let vectors = table.forward(&Tensor::new(&[2u32, 0], &Device::Cpu)?)?;
/// assert_eq!(vectors.to_vec2::<f32>()?, [[4., 5.], [0., 1.]]);
/// # Ok(())
/// # }
/// ```
pub struct Embedding {
    weight: Param,
    padding: Option<u32>,
}

impl Embedding {
    /// A table of `rows` vectors with fast.ai's initial values, `trunc_normal_(std=0.01)`; PyTorch's are `N(0, 1)`.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn new(rows: usize, width: usize, params: &Params) -> Result<Embedding> {
        Embedding::with_init(rows, width, Init::TruncNormal(0.01), params)
    }

    /// A table with the given initial values.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn with_init(rows: usize, width: usize, init: Init, params: &Params) -> Result<Embedding> {
        let draw = |rng: &mut _, device: &_| init.draw((rows, width), [width, rows], rng, device);
        Ok(Embedding { weight: params.add("weight", ParamKind::Weight, draw)?, padding: None })
    }

    /// Excludes the row `padding` from the gradient. PyTorch's `padding_idx`, except that the row is not set to 0.
    #[must_use]
    pub fn with_padding(self, padding: u32) -> Embedding {
        Embedding { padding: Some(padding), ..self }
    }

    /// The table.
    pub fn weight(&self) -> &Param {
        &self.weight
    }

    /// Looks up the vectors of these rows.
    ///
    /// # Shapes
    /// `ids` `[..]` → `[.., width]`
    ///
    /// # Errors
    /// [`Error::Shape`] when the numbers are not `u32` or the table has no such row.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let key = Some(self.weight.row_key());
        let ys = kernels::embedding(&self.weight.tensor(), ids, key, self.padding).map_err(|e| {
            let what = format!("the table `{}` {:?}: {e}", self.weight.name(), self.weight.dims());
            Error::shape(what, ids.dims())
        })?;
        report("Embedding", &[&self.weight], &ys, 0);
        Ok(ys)
    }
}
