//! The loss function of a learner.

use crate::error::{Error, Result};
use candle_core::{DType, Tensor};

/// Predictions and targets to a tensor of one element.
pub(super) type Loss = dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync;

/// The targets of a batch to how much its loss counts in a mean over batches.
pub(super) type LossWeight = dyn Fn(&Tensor) -> Result<f64> + Send + Sync;

/// The number of items: right for a loss that is a plain mean over them.
pub(super) fn n_items(ys: &Tensor) -> Result<f64> {
    Ok(ys.dims().first().copied().unwrap_or(1) as f64)
}

/// The value of a loss.
pub(super) fn loss_value(loss: &Tensor) -> Result<f64> {
    if loss.elem_count() != 1 {
        let message = format!("a loss must be one number, got shape {:?}; take its mean", loss.dims());
        return Err(Error::shape(message, loss.dims()));
    }
    Ok(loss.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?[0])
}
