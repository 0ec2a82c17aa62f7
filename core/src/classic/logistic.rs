//! Logistic regression, of two classes and of many.

use super::checks;
use super::class_weight::ClassWeight;
use super::estimator::{Decision, Estimator, Probabilities};
use super::linear::{Limits, Linear};
use super::linear_model::LinearModel;
use super::loss::{Logistic, Softmax, Weighted, sigmoid, softmax};
use super::matrix::Matrix;
use super::sparse::SparseMatrix;
use crate::error::Result;

/// Logistic regression with an L2 penalty: scikit-learn's `LogisticRegression` and its objective, `½‖w‖² + C · Σ loss`,
/// in which intercepts are not penalised. Classes ([`LogisticRegression::class_weight`]) and samples
/// ([`LogisticRegression::fit_weighted`]) may count more and less. With more than two classes it is multinomial; wrap
/// it in [`OneVsRest`](super::OneVsRest) for one model per class.
///
/// The fit uses Newton's method and stops by the length of the gradient, practically at the optimum. With more features
/// than rows it works in the space of the rows, so that flattened images cost no more than their scalar products.
/// scikit-learn's default (L-BFGS with `tol=1e-4`) may stop well before; compare with `tol=1e-10`.
///
/// ```
/// use tallow::classic::{Classifier, Estimator, LogisticRegression, Matrix, Probabilities};
/// let xs = Matrix::from_rows(&[[0.0], [1.0], [3.0], [4.0]])?;
/// let model = LogisticRegression::new().fit(&xs, &[0, 0, 1, 1])?;
/// assert_eq!(model.predict(&Matrix::from_rows(&[[1.5], [2.5]])?)?, [0, 1]);
/// assert!((model.probabilities(&Matrix::from_rows(&[[2.0]])?)?.row(0)[1] - 0.5).abs() < 1e-6);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LogisticRegression {
    limits: Limits,
    class_weight: ClassWeight,
}

impl Default for LogisticRegression {
    fn default() -> LogisticRegression {
        LogisticRegression::new()
    }
}

impl LogisticRegression {
    /// The default settings: `c` is 1, `tol` 1e-6, `max_iter` 100.
    pub fn new() -> LogisticRegression {
        LogisticRegression { limits: Limits::default(), class_weight: ClassWeight::Equal }
    }

    /// Sets `C`, the weight of the losses relative to the penalty: the inverse of the regularisation strength. Defaults
    /// to 1. Infinity leaves the penalty out; where the classes can be told apart without a mistake there is then no
    /// optimum, and the model has a [`warning`](super::Classifier::warning).
    pub fn c(mut self, c: f64) -> LogisticRegression {
        self.limits.c = c;
        self
    }

    /// The length of the gradient of `½‖w‖² + C · Σ loss` at which to stop. scikit-learn's `tol` bounds the largest
    /// entry of the gradient of the same, divided by `C` and the number of samples. Defaults to 1e-6.
    pub fn tol(mut self, tol: f64) -> LogisticRegression {
        self.limits.tol = tol;
        self
    }

    /// Sets the largest number of steps, after which the model has a [`warning`](super::Classifier::warning). Defaults
    /// to 100.
    pub fn max_iter(mut self, max_iter: usize) -> LogisticRegression {
        self.limits.max_iter = max_iter;
        self
    }
}

impl LogisticRegression {
    /// Sets how much the samples of each class count. Defaults to [`ClassWeight::Equal`].
    pub fn class_weight(mut self, class_weight: ClassWeight) -> LogisticRegression {
        self.class_weight = class_weight;
        self
    }

    /// Fits to samples that count as much as their weights say: scikit-learn's `sample_weight`. A weight of 2 is the
    /// same as the row twice.
    ///
    /// # Errors
    /// As [`Estimator::fit`]; and where weights are negative or not finite, there is not one for each row, or a class
    /// has none above 0.
    pub fn fit_weighted(&self, xs: &Matrix, ys: &[u32], sample_weight: &[f64]) -> Result<LogisticModel> {
        let classes = checks::several_classes(xs, ys)?;
        self.fitted(classes, ys, Some(sample_weight), |loss| loss.fit(xs, self.limits))
    }

    /// Fits to sparse rows without converting them to dense ones, so that a million columns are possible.
    ///
    /// # Errors
    /// As [`Estimator::fit`].
    pub fn fit_sparse(&self, xs: &SparseMatrix, ys: &[u32]) -> Result<LogisticModel> {
        let classes = checks::several_labels(xs.rows(), xs.columns(), ys)?;
        self.fitted(classes, ys, None, |loss| match loss {
            LossOf::Two(loss) => Linear::fit_sparse(xs, &loss, self.limits),
            LossOf::Many(loss) => Linear::fit_sparse(xs, &loss, self.limits),
        })
    }

    fn fitted(
        &self,
        classes: Vec<u32>,
        ys: &[u32],
        sample_weight: Option<&[f64]>,
        fit: impl FnOnce(LossOf) -> Result<Linear>,
    ) -> Result<LogisticModel> {
        self.limits.check()?;
        let weights = self.class_weight.of_samples(&classes, ys, sample_weight)?;
        let linear = if classes.len() == 2 {
            let loss = Logistic(ys.iter().map(|y| *y == classes[1]).collect());
            fit(LossOf::Two(Weighted { loss, weights }))?
        } else {
            let loss = Softmax { classes: checks::places(&classes, ys), n_classes: classes.len() };
            fit(LossOf::Many(Weighted { loss, weights }))?
        };
        Ok(LinearModel { estimator: self.clone(), name: "logistic regression", classes, linear })
    }
}

/// The loss for two classes, and for more.
enum LossOf {
    Two(Weighted<Logistic>),
    Many(Weighted<Softmax>),
}

impl LossOf {
    fn fit(self, xs: &Matrix, limits: Limits) -> Result<Linear> {
        match self {
            LossOf::Two(loss) => Linear::fit(xs, &loss, limits),
            LossOf::Many(loss) => Linear::fit(xs, &loss, limits),
        }
    }
}

impl Estimator for LogisticRegression {
    type Model = LogisticModel;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<LogisticModel> {
        let classes = checks::several_classes(xs, ys)?;
        self.fitted(classes, ys, None, |loss| loss.fit(xs, self.limits))
    }
}

/// A fitted [`LogisticRegression`].
pub type LogisticModel = LinearModel<LogisticRegression>;

impl LogisticModel {
    /// The probability of each class for each sparse row.
    ///
    /// # Errors
    /// As [`Probabilities::probabilities`].
    pub fn probabilities_sparse(&self, xs: &SparseMatrix) -> Result<Matrix> {
        Ok(self.probabilities_of(self.decision_sparse(xs)?))
    }

    /// The sigmoid of the decision for two classes, else its softmax.
    fn probabilities_of(&self, mut scores: Matrix) -> Matrix {
        if self.classes.len() == 2 {
            let both = scores.values().iter().flat_map(|&z| [sigmoid(-z), sigmoid(z)]).collect();
            return Matrix::of(2, both);
        }
        scores.values_mut().chunks_exact_mut(self.classes.len()).for_each(softmax);
        scores
    }
}

impl Probabilities for LogisticModel {
    /// The sigmoid of the decision for two classes, else its softmax.
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix> {
        Ok(self.probabilities_of(self.decision(xs)?))
    }
}
