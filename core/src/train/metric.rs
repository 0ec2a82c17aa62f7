//! Metrics of a [`super::Learner`]: numbers for people, computed on the validation set.

use crate::error::Result;
use crate::metrics;
use candle_core::{D, DType, Tensor};

type Judge = dyn Fn(&Tensor, &Tensor) -> Result<f64> + Send + Sync;

/// A named number that tells how good predictions are. It is computed per batch and averaged, each batch counting by its
/// number of items: fast.ai's `AvgMetric`.
pub struct Metric {
    name: String,
    judge: Box<Judge>,
}

impl Metric {
    /// A metric from a function of predictions and targets of one batch.
    pub fn new(
        name: impl Into<String>,
        judge: impl Fn(&Tensor, &Tensor) -> Result<f64> + Send + Sync + 'static,
    ) -> Metric {
        Metric { name: name.into(), judge: Box::new(judge) }
    }

    /// Its name, the head of its column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value for one batch.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn of(&self, preds: &Tensor, ys: &Tensor) -> Result<f64> {
        (self.judge)(preds, ys)
    }
}

/// A function without arguments that makes a metric stands for it, so that one writes `metrics([accuracy])`.
impl<F: Fn() -> Metric> From<F> for Metric {
    fn from(make: F) -> Metric {
        make()
    }
}

/// The share of items whose highest score is at their label; scores `[N, C]`, labels `[N]`.
pub fn accuracy() -> Metric {
    Metric::new("accuracy", share_correct)
}

/// One minus [`accuracy`].
pub fn error_rate() -> Metric {
    Metric::new("error_rate", |preds, ys| Ok(1.0 - share_correct(preds, ys)?))
}

fn share_correct(preds: &Tensor, ys: &Tensor) -> Result<f64> {
    let predicted = preds.argmax(D::Minus1)?.flatten_all()?.to_vec1::<u32>()?;
    metrics::accuracy(&predicted, &ys.to_dtype(DType::U32)?.flatten_all()?.to_vec1::<u32>()?)
}
