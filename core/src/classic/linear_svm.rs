//! A linear support vector machine.

use super::checks;
use super::class_weight::ClassWeight;
use super::estimator::Estimator;
use super::linear::{Limits, Linear};
use super::linear_model::LinearModel;
use super::loss::{SquaredHinge, Weighted};
use super::matrix::Matrix;
use crate::error::Result;

/// A linear support vector machine for two classes, which minimises `½‖w‖² + C · Σ max(0, 1 - y·score)²` without a
/// penalty on the intercept, by Newton's method in the primal (Chapelle, *Training a support vector machine in the
/// primal*, 2007).
///
/// scikit-learn's `LinearSVC` has the same loss but penalises the intercept too, by as much as `intercept_scaling`
/// says; as that grows, its model becomes this one. For more than two classes put it into
/// [`OneVsRest`](super::OneVsRest) or [`OneVsOne`](super::OneVsOne).
#[derive(Debug, Clone)]
pub struct LinearSvm {
    limits: Limits,
    class_weight: ClassWeight,
}

impl Default for LinearSvm {
    fn default() -> LinearSvm {
        LinearSvm::new()
    }
}

impl LinearSvm {
    /// The default settings: `c` is 1, `tol` 1e-6, `max_iter` 100.
    pub fn new() -> LinearSvm {
        LinearSvm { limits: Limits::default(), class_weight: ClassWeight::Equal }
    }

    /// Sets `C`, the weight of the losses relative to the penalty: the inverse of the regularisation strength. Defaults
    /// to 1. Infinity leaves the penalty out.
    pub fn c(mut self, c: f64) -> LinearSvm {
        self.limits.c = c;
        self
    }

    /// Sets the largest number of steps, after which the model has a [`warning`](super::Classifier::warning). Defaults
    /// to 100.
    pub fn max_iter(mut self, max_iter: usize) -> LinearSvm {
        self.limits.max_iter = max_iter;
        self
    }
}

impl LinearSvm {
    /// Sets how much the samples of each class count. Defaults to [`ClassWeight::Equal`].
    pub fn class_weight(mut self, class_weight: ClassWeight) -> LinearSvm {
        self.class_weight = class_weight;
        self
    }

    /// Fits to samples that count as much as their weights say: scikit-learn's `sample_weight`.
    ///
    /// # Errors
    /// As [`Estimator::fit`]; and where weights are negative or not finite, there is not one for each row, or a class
    /// has none above 0.
    pub fn fit_weighted(&self, xs: &Matrix, ys: &[u32], sample_weight: &[f64]) -> Result<LinearSvmModel> {
        self.fitted(xs, ys, Some(sample_weight))
    }

    fn fitted(&self, xs: &Matrix, ys: &[u32], sample_weight: Option<&[f64]>) -> Result<LinearSvmModel> {
        self.limits.check()?;
        let (classes, second) = checks::two_classes("LinearSvm", xs, ys)?;
        let weights = self.class_weight.of_samples(&classes, ys, sample_weight)?;
        let linear = Linear::fit(xs, &Weighted { loss: SquaredHinge(second), weights }, self.limits)?;
        Ok(LinearModel { estimator: self.clone(), name: "the support vector machine", classes, linear })
    }
}

impl Estimator for LinearSvm {
    type Model = LinearSvmModel;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<LinearSvmModel> {
        self.fitted(xs, ys, None)
    }
}

/// A fitted [`LinearSvm`].
pub type LinearSvmModel = LinearModel<LinearSvm>;
