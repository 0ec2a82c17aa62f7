//! The gradient of a parameter, whole or of some rows.

use super::Param;
use crate::error::Result;
use crate::kernels::RowGradient;
use candle_core::Tensor;
use candle_core::backprop::GradStore;

impl Param {
    /// Its gradient, in its own shape. That of an [`Embedding`](super::Embedding) is computed for the rows that a batch
    /// touched, and `grads.get(param.var())` gives those rows alone; here the others are there too, with zeros.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn gradient(&self, grads: &GradStore) -> Result<Option<Tensor>> {
        match self.row_gradient(grads) {
            Some(rows) => Ok(Some(rows.dense(self.dims())?)),
            None => Ok(grads.get(self.var()).map(Tensor::detach)),
        }
    }

    /// The rows of a sparse gradient and their gradients: how [`Embedding`](super::Embedding) learns. `None` where the
    /// gradient is dense, or there is none.
    pub fn row_gradient<'a>(&self, grads: &'a GradStore) -> Option<RowGradient<'a>> {
        let (rows, values) = (grads.get(self.row_key())?, grads.get(self.var())?);
        Some(RowGradient { rows, values })
    }

    /// Takes the gradient out, in the parameter's own shape.
    pub(crate) fn take_gradient(&self, grads: &mut GradStore) -> Result<Option<Tensor>> {
        let gradient = self.gradient(grads)?;
        grads.remove(self.row_key());
        grads.remove(self.var());
        Ok(gradient)
    }
}
