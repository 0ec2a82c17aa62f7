//! A linear support vector machine.

use super::checks;
use super::estimator::{Binary, Classifier, Decision, Estimator, winners};
use super::linear::{Limits, Linear};
use super::loss::SquaredHinge;
use super::matrix::Matrix;
use super::newton::FitReport;
use crate::error::Result;

/// A linear support vector machine for two classes: `½‖w‖² + C · Σ max(0, 1 - y·score)²`, with a free intercept, found by
/// Newton's method in the primal (Chapelle, *Training a support vector machine in the primal*, 2007).
///
/// scikit-learn's `LinearSVC` has the same loss but penalises the intercept too, by as much as `intercept_scaling` says;
/// as that grows, its model becomes this one. For more than two classes put it into [`OneVsRest`](super::OneVsRest) or
/// [`OneVsOne`](super::OneVsOne).
#[derive(Debug, Clone)]
pub struct LinearSvm {
    limits: Limits,
}

impl Default for LinearSvm {
    fn default() -> LinearSvm {
        LinearSvm::new()
    }
}

impl LinearSvm {
    /// With `C = 1`, at most 100 steps, to a gradient no longer than 1e-6.
    pub fn new() -> LinearSvm {
        LinearSvm { limits: Limits { c: 1.0, tol: 1e-6, max_iter: 100 } }
    }

    /// How much the losses weigh against the penalty.
    pub fn c(mut self, c: f64) -> LinearSvm {
        self.limits.c = c;
        self
    }

    /// After how many steps to give up, which the model's [`warning`](Classifier::warning) then says.
    pub fn max_iter(mut self, max_iter: usize) -> LinearSvm {
        self.limits.max_iter = max_iter;
        self
    }
}

impl Estimator for LinearSvm {
    type Model = LinearSvmModel;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<LinearSvmModel> {
        self.limits.check()?;
        let (classes, second) = checks::two_classes("LinearSvm", xs, ys)?;
        Ok(LinearSvmModel { classes, linear: Linear::fit(xs, &SquaredHinge(second), self.limits)? })
    }
}

/// A fitted [`LinearSvm`].
#[derive(Debug, Clone)]
pub struct LinearSvmModel {
    classes: Vec<u32>,
    linear: Linear,
}

impl LinearSvmModel {
    /// The weights, one row: `coef_`.
    pub fn coef(&self) -> &Matrix {
        &self.linear.coef
    }

    /// The intercept, one number: `intercept_`.
    pub fn intercept(&self) -> &[f64] {
        &self.linear.intercept
    }

    /// How the fit ended.
    pub fn fit_report(&self) -> FitReport {
        self.linear.fit
    }
}

impl Classifier for LinearSvmModel {
    fn classes(&self) -> &[u32] {
        &self.classes
    }

    fn n_features(&self) -> usize {
        self.linear.coef.columns()
    }

    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>> {
        Ok(winners(&self.classes, &self.decision(xs)?))
    }

    fn warning(&self) -> Option<String> {
        self.linear.warning("the support vector machine")
    }
}

impl Decision for LinearSvmModel {
    /// `xs · coefᵀ + intercept`.
    fn decision(&self, xs: &Matrix) -> Result<Matrix> {
        checks::judged(self, xs)?;
        Ok(self.linear.scores(xs))
    }
}

impl Binary for LinearSvmModel {
    fn confidence(&self, xs: &Matrix) -> Result<Vec<f64>> {
        Ok(self.decision(xs)?.values().to_vec())
    }
}
