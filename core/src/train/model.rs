//! The model of a learner.

use crate::error::Result;
use crate::nn::Module;
use candle_core::Tensor;

/// A network as a [`super::Learner`] calls it: a function from the inputs of a batch to predictions.
///
/// Every [`Module`] is a model with one input. A network with several, such as the categories and the numbers of a
/// table, implements this trait itself; its dataset supplies the others as [`crate::data::Batch::more_xs`].
pub trait Model: Send + Sync {
    /// Computes predictions for a batch. `train` is PyTorch's `model.train()`.
    ///
    /// # Errors
    /// When there are too few inputs, or the network cannot take their shapes.
    fn forward_inputs(&self, xs: &Tensor, more_xs: &[Tensor], train: bool) -> Result<Tensor>;
}

impl<M: Module> Model for M {
    fn forward_inputs(&self, xs: &Tensor, _more_xs: &[Tensor], train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}
