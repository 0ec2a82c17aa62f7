//! The model that a linear classifier becomes by being fitted.

use super::checks;
use super::estimator::{Binary, Classifier, Decision, winners};
use super::linear::Linear;
use super::matrix::Matrix;
use super::newton::FitReport;
use super::sparse::SparseMatrix;
use crate::error::Result;

/// A fitted linear classifier, whose decision is `xs · coefᵀ + intercept`. `E` is the estimator that was fitted:
/// [`LogisticRegression`](super::LogisticRegression) or [`LinearSvm`](super::LinearSvm).
#[derive(Debug, Clone)]
pub struct LinearModel<E> {
    pub(super) estimator: E,
    /// The estimator in a warning's words.
    pub(super) name: &'static str,
    pub(super) classes: Vec<u32>,
    pub(super) linear: Linear,
}

impl<E> LinearModel<E> {
    /// The settings that it was fitted with.
    pub fn estimator(&self) -> &E {
        &self.estimator
    }

    /// The weights, `[1, F]` for two classes, else `[n_classes, F]`: `coef_`.
    pub fn coef(&self) -> &Matrix {
        &self.linear.coef
    }

    /// The intercepts, as many as there are rows of weights: `intercept_`.
    pub fn intercept(&self) -> &[f64] {
        &self.linear.intercept
    }

    /// [`Decision::decision`] of sparse rows.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where rows have another width than the model was fitted to.
    pub fn decision_sparse(&self, xs: &SparseMatrix) -> Result<Matrix> {
        checks::columns(self.linear.coef.columns(), xs.rows(), xs.columns())?;
        Ok(self.linear.sparse_scores(xs))
    }

    /// [`Classifier::predict`] for sparse rows.
    ///
    /// # Errors
    /// As [`LinearModel::decision_sparse`].
    pub fn predict_sparse(&self, xs: &SparseMatrix) -> Result<Vec<u32>> {
        Ok(winners(&self.classes, &self.decision_sparse(xs)?))
    }

    /// How the fit ended.
    pub fn fit_report(&self) -> FitReport {
        self.linear.fit
    }
}

impl<E: Send + Sync> Classifier for LinearModel<E> {
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
        self.linear.warning(self.name)
    }
}

impl<E: Send + Sync> Decision for LinearModel<E> {
    /// `xs · coefᵀ + intercept`.
    fn decision(&self, xs: &Matrix) -> Result<Matrix> {
        checks::rows_for(self, xs)?;
        Ok(self.linear.scores(xs))
    }
}

impl<E: Send + Sync> Binary for LinearModel<E> {
    fn confidence(&self, xs: &Matrix) -> Result<Vec<f64>> {
        checks::has_two_classes(self)?;
        Ok(self.decision(xs)?.values().to_vec())
    }
}
