//! A change of the features, and the model that sees them changed.

use super::estimator::{Binary, Classifier, Decision, Estimator, Probabilities};
use super::matrix::Matrix;
use crate::error::Result;

/// Settings that become a change of features by being fitted: a scaler, for example.
pub trait Transformer: Sync {
    /// What fitting makes.
    type Fitted: Transform;

    /// Fits to samples.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where there are no samples, [`Error::Value`](crate::Error::Value) where a
    /// value is not finite.
    fn fit(&self, xs: &Matrix) -> Result<Self::Fitted>;
}

/// A fitted change of features.
pub trait Transform: Send + Sync {
    /// The number of columns that it was fitted to.
    fn n_features(&self) -> usize;

    /// The changed samples.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where rows have another width than it was fitted to.
    fn transform(&self, xs: &Matrix) -> Result<Matrix>;
}

/// First a change of features, then a model: scikit-learn's `make_pipeline`. Both are fitted to the training samples
/// alone, so nothing of the others leaks into the model. A pipeline is an [`Estimator`], so a longer one has a pipeline
/// for its model.
///
/// ```
/// use tallow::classic::{Classifier, Estimator, LogisticRegression, Matrix, Pipeline, StandardScaler};
/// let xs = Matrix::from_rows(&[[1000.0, 0.1], [1010.0, 0.3], [990.0, 0.9], [1005.0, 0.8]])?;
/// let model = Pipeline::new(StandardScaler, LogisticRegression::new()).fit(&xs, &[0, 0, 1, 1])?;
/// assert_eq!(model.score(&xs, &[0, 0, 1, 1])?, 1.0);
/// assert_eq!(model.first().mean()[0], 1001.25);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pipeline<T, C> {
    transformer: T,
    estimator: C,
}

impl<T, C> Pipeline<T, C> {
    /// One after the other.
    pub fn new(transformer: T, estimator: C) -> Pipeline<T, C> {
        Pipeline { transformer, estimator }
    }
}

impl<T: Transformer, C: Estimator> Estimator for Pipeline<T, C> {
    type Model = PipelineModel<T::Fitted, C::Model>;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<Self::Model> {
        let first = self.transformer.fit(xs)?;
        let model = self.estimator.fit(&first.transform(xs)?, ys)?;
        Ok(PipelineModel { first, model })
    }
}

/// A fitted [`Pipeline`]. It implements whatever its model implements.
#[derive(Debug, Clone)]
pub struct PipelineModel<T, M> {
    first: T,
    model: M,
}

impl<T, M> PipelineModel<T, M> {
    /// The change of features.
    pub fn first(&self) -> &T {
        &self.first
    }

    /// The model that sees the changed features.
    pub fn model(&self) -> &M {
        &self.model
    }
}

impl<T: Transform, M: Classifier> Classifier for PipelineModel<T, M> {
    fn classes(&self) -> &[u32] {
        self.model.classes()
    }

    fn n_features(&self) -> usize {
        self.first.n_features()
    }

    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>> {
        self.model.predict(&self.first.transform(xs)?)
    }

    fn warning(&self) -> Option<String> {
        self.model.warning()
    }
}

impl<T: Transform, M: Decision> Decision for PipelineModel<T, M> {
    fn decision(&self, xs: &Matrix) -> Result<Matrix> {
        self.model.decision(&self.first.transform(xs)?)
    }
}

impl<T: Transform, M: Probabilities> Probabilities for PipelineModel<T, M> {
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix> {
        self.model.probabilities(&self.first.transform(xs)?)
    }
}

impl<T: Transform, M: Binary> Binary for PipelineModel<T, M> {
    fn confidence(&self, xs: &Matrix) -> Result<Vec<f64>> {
        self.model.confidence(&self.first.transform(xs)?)
    }
}
