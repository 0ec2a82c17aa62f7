//! What a learner trains.

use crate::error::Result;
use crate::nn::Module;
use candle_core::Tensor;

/// A network as a [`super::Learner`] calls it: the inputs of a batch in, predictions out.
///
/// Every [`Module`] is a model of one input. A network of several inputs, such as a table's categories and numbers,
/// implements this trait itself; its dataset gives the others as [`crate::data::Batch::more_xs`].
pub trait Model: Send + Sync {
    /// Predictions for a batch. `train` is true while training.
    ///
    /// # Errors
    /// When there are too few inputs, or their shapes do not suit the network.
    fn forward_inputs(&self, xs: &Tensor, more_xs: &[Tensor], train: bool) -> Result<Tensor>;
}

impl<M: Module> Model for M {
    fn forward_inputs(&self, xs: &Tensor, _more_xs: &[Tensor], train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}
