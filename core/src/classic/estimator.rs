//! Traits of all models: settings are fitted to data and become a model; only a model predicts.

use super::matrix::Matrix;
use crate::error::Result;
use crate::metrics;

/// Settings that become a model by being fitted to samples: scikit-learn's `fit`.
///
/// The settings themselves cannot predict, so a model that was never fitted cannot be asked anything:
///
/// ```compile_fail
/// use tallow::classic::{Classifier, LogisticRegression, Matrix};
/// let xs = Matrix::from_rows(&[[1.0], [2.0]])?;
/// LogisticRegression::new().predict(&xs)?; // there is no `predict` before `fit`
/// # Ok::<(), tallow::Error>(())
/// ```
pub trait Estimator: Sync {
    /// What fitting makes.
    type Model: Classifier;

    /// Fits to samples: `xs` are `[N, F]`, `ys` the class of each row. Classes are any numbers; the model knows those
    /// that occur, in ascending order.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where the numbers of rows and labels differ or are 0,
    /// [`Error::Config`](crate::Error::Config) where a setting is out of its range,
    /// [`Error::Value`](crate::Error::Value) where a value is not finite, or there are not enough classes.
    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<Self::Model>;
}

/// A fitted model that predicts classes.
pub trait Classifier: Send + Sync {
    /// The classes that it knows, ascending: scikit-learn's `classes_`.
    fn classes(&self) -> &[u32];

    /// The number of columns that it was fitted to: `n_features_in_`.
    fn n_features(&self) -> usize;

    /// The class of each row.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where rows have another width than the model was fitted to,
    /// [`Error::Value`](crate::Error::Value) where a value is not finite.
    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>>;

    /// The fraction of rows whose class is predicted correctly.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where the numbers of rows and labels differ or are 0, or rows have another
    /// width than the model was fitted to, [`Error::Value`](crate::Error::Value) where a value is not finite.
    fn score(&self, xs: &Matrix, ys: &[u32]) -> Result<f64> {
        metrics::accuracy(&self.predict(xs)?, ys)
    }

    /// A warning about how the fit went, in one sentence for the whole model; nothing if it went well.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// A model with scikit-learn's `decision_function`.
pub trait Decision: Classifier {
    /// How much speaks for each class: `[N, n_classes]`, the largest wins. With two classes there is one column, which
    /// speaks for the second class where it is above 0.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where rows have another width than the model was fitted to,
    /// [`Error::Value`](crate::Error::Value) where a value is not finite.
    fn decision(&self, xs: &Matrix) -> Result<Matrix>;
}

/// A model with scikit-learn's `predict_proba`.
pub trait Probabilities: Classifier {
    /// The probability of each class: `[N, n_classes]`, with the sum 1 in each row.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where rows have another width than the model was fitted to,
    /// [`Error::Value`](crate::Error::Value) where a value is not finite.
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix>;
}

/// A model of two classes that [`OneVsRest`](super::OneVsRest) and [`OneVsOne`](super::OneVsOne) can combine.
pub trait Binary: Classifier {
    /// How much speaks for the second class: its decision function if it has one, else the probability, as scikit-learn
    /// has it.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where rows have another width than the model was fitted to,
    /// [`Error::Value`](crate::Error::Value) where a value is not finite, or there are not two classes.
    fn confidence(&self, xs: &Matrix) -> Result<Vec<f64>>;
}

/// The class of each row of a decision function or of probabilities: the first of the largest, or with one column the
/// second class where it is above 0.
pub(super) fn winners(classes: &[u32], scores: &Matrix) -> Vec<u32> {
    let best = |row: &[f64]| match row {
        [one] => usize::from(*one > 0.0),
        many => many.iter().enumerate().fold(0, |best, (i, &score)| if score > many[best] { i } else { best }),
    };
    scores.iter().map(|row| classes.get(best(row)).copied().unwrap_or(0)).collect()
}
