//! Logistic regression, of two classes and of many.

use super::checks;
use super::estimator::{Decision, Estimator, Probabilities};
use super::linear::{Limits, Linear};
use super::linear_model::LinearModel;
use super::loss::{Logistic, Softmax, sigmoid, softmax};
use super::matrix::Matrix;
use crate::error::Result;

/// Logistic regression with the penalty `‖w‖²`: scikit-learn's `LogisticRegression`, and the same objective,
/// `½‖w‖² + C · Σ loss`, in which the intercepts are free. With more than two classes it is multinomial; put it into
/// [`OneVsRest`](super::OneVsRest) for one model per class.
///
/// The fit ends at the optimum, not near it: Newton's method, stopped by the length of the gradient. Where there are
/// more features than rows it works in the space of the rows, so flattened images cost no more than their scalar
/// products. scikit-learn's default (L-BFGS with `tol=1e-4`) may stop well before; compare with `tol=1e-10`.
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
}

impl Default for LogisticRegression {
    fn default() -> LogisticRegression {
        LogisticRegression::new()
    }
}

impl LogisticRegression {
    /// The default settings: `c` is 1, `tol` 1e-6, `max_iter` 100.
    pub fn new() -> LogisticRegression {
        LogisticRegression { limits: Limits { c: 1.0, tol: 1e-6, max_iter: 100 } }
    }

    /// How much the losses weigh against the penalty: the larger, the closer to the data. Defaults to 1.
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

    /// After how many steps to give up, which the model's [`warning`](super::Classifier::warning) then says. Defaults
    /// to 100.
    pub fn max_iter(mut self, max_iter: usize) -> LogisticRegression {
        self.limits.max_iter = max_iter;
        self
    }
}

impl Estimator for LogisticRegression {
    type Model = LogisticModel;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<LogisticModel> {
        self.limits.check()?;
        let classes = checks::several_classes(xs, ys)?;
        let linear = if classes.len() == 2 {
            Linear::fit(xs, &Logistic(ys.iter().map(|y| *y == classes[1]).collect()), self.limits)?
        } else {
            let loss = Softmax { classes: checks::places(&classes, ys), n_classes: classes.len() };
            Linear::fit(xs, &loss, self.limits)?
        };
        Ok(LinearModel { estimator: self.clone(), name: "logistic regression", classes, linear })
    }
}

/// A fitted [`LogisticRegression`].
pub type LogisticModel = LinearModel<LogisticRegression>;

impl Probabilities for LogisticModel {
    /// The sigmoid of the decision for two classes, else its softmax.
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix> {
        let mut scores = self.decision(xs)?;
        if self.classes.len() == 2 {
            let both = scores.values().iter().flat_map(|&z| [sigmoid(-z), sigmoid(z)]).collect();
            return Ok(Matrix::of(2, both));
        }
        scores.values_mut().chunks_exact_mut(self.classes.len()).for_each(softmax);
        Ok(scores)
    }
}
