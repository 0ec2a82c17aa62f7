//! Validation and prediction.

use super::learner::Learner;
use super::loss::loss_value;
use crate::data::{Batch, DataLoader};
use crate::error::Result;
use crate::kernels;
use crate::nn::on_computing_threads;
use candle_core::Tensor;

impl Learner {
    /// Computes the mean loss over the validation set, and the metrics. fast.ai's `validate`.
    ///
    /// The batches' losses are weighted by their numbers of items, or by [`Learner::loss_weight`]. If a loss is not
    /// finite, the metrics are NaN.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn validate(&self) -> Result<(f64, Vec<f64>)> {
        self.validate_on(&self.dls.valid)
    }

    /// Computes the mean loss and the metrics over the items of any loader, such as a test set's.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn validate_on(&self, loader: &DataLoader) -> Result<(f64, Vec<f64>)> {
        let mut tallies: Vec<_> = self.metrics.iter().map(|metric| metric.tally()).collect();
        let (mut total, mut loss) = (0.0, 0.0);
        let mut not_finite = None;
        self.each_prediction(loader, |preds, ys| {
            if not_finite.is_some() {
                return Ok(());
            }
            let weight = (self.loss_weight)(&ys)?;
            // A mean over items that all weigh nothing is not a number, and counts for nothing.
            if weight != 0.0 {
                let value = loss_value(&(self.loss)(&preds, &ys)?)?;
                if !value.is_finite() {
                    not_finite = Some(value);
                    return Ok(());
                }
                (total, loss) = (total + weight, loss + weight * value);
            }
            tallies.iter_mut().try_for_each(|tally| tally.add(&preds, &ys))
        })?;
        if let Some(value) = not_finite {
            return Ok((value, vec![f64::NAN; tallies.len()]));
        }
        let metrics: Result<Vec<f64>> = tallies.into_iter().map(|tally| tally.value()).collect();
        Ok((loss / total, metrics?))
    }

    /// Computes predictions for one batch of inputs, in evaluation mode and without gradients.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn predict(&self, xs: &Tensor) -> Result<Tensor> {
        self.predict_inputs(xs, &[])
    }

    /// Computes predictions for a batch of a network with one or several inputs, in evaluation mode and without
    /// gradients.
    ///
    /// # Errors
    /// When a shape does not fit.
    pub fn predict_batch(&self, batch: &Batch) -> Result<Tensor> {
        self.predict_inputs(&batch.xs, &batch.more_xs)
    }

    fn predict_inputs(&self, xs: &Tensor, more_xs: &[Tensor]) -> Result<Tensor> {
        // Without a graph nothing is kept, and layers compute with the weights that they have prepared for inference.
        let forward = || kernels::no_grad(|| self.model.forward_inputs(xs, more_xs, false));
        Ok(on_computing_threads(xs.device(), forward)?.detach())
    }

    /// Computes the predictions of all items of a loader, and returns them with the targets, in the loader's order.
    /// fast.ai's `get_preds`.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn get_preds(&self, loader: &DataLoader) -> Result<(Tensor, Tensor)> {
        let (mut preds, mut ys) = (Vec::new(), Vec::new());
        self.each_prediction(loader, |more, of| {
            preds.push(more);
            ys.push(of);
            Ok(())
        })?;
        Ok((Tensor::cat(&preds, 0)?, Tensor::cat(&ys, 0)?))
    }
}
