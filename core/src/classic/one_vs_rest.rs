//! One-vs-rest classification.

use super::checks;
use super::estimator::{Binary, Classifier, Decision, Estimator, Probabilities, winners};
use super::matrix::Matrix;
use super::wrapper::{self, Part};
use crate::error::Result;

/// A multi-class classifier made of two-class ones: for each class one model that separates it from all others, fitted
/// in parallel. The class with the highest decision score wins. scikit-learn's `OneVsRestClassifier`.
///
/// ```
/// use tallow::classic::{Classifier, Estimator, LinearSvm, Matrix, OneVsRest};
/// let xs = Matrix::from_rows(&[[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 1.0], [0.0, 9.0], [1.0, 9.0]])?;
/// let model = OneVsRest::new(LinearSvm::new()).fit(&xs, &[0, 0, 1, 1, 2, 2])?;
/// assert_eq!(model.predict(&Matrix::from_rows(&[[6.0, 0.0], [0.0, 8.0]])?)?, [1, 2]);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OneVsRest<C> {
    estimator: C,
    n_classes: Option<usize>,
}

impl<C> OneVsRest<C> {
    /// One-vs-rest with this two-class estimator.
    pub fn new(estimator: C) -> OneVsRest<C> {
        OneVsRest { estimator, n_classes: None }
    }

    /// Announces that the classes are `0..n`, though not all of them may occur among the samples. One that does not
    /// occur gets a constant: its decision is minus infinity, its probability 0, and it never wins. (scikit-learn's
    /// constant decides 0, with which a class that was never seen can win.) Defaults to the classes that occur.
    pub fn n_classes(mut self, n: usize) -> OneVsRest<C> {
        self.n_classes = Some(n);
        self
    }
}

impl<C: Estimator<Model: Binary>> Estimator for OneVsRest<C> {
    type Model = OneVsRestModel<C::Model>;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<Self::Model> {
        let classes = wrapper::classes(self.n_classes, xs, ys)?;
        // Of two classes, the second against the first says all.
        let first = usize::from(classes.len() == 2);
        let models = wrapper::fit_all(classes.len() - first, |i| {
            let class = classes[first + i];
            wrapper::fit(&self.estimator, xs, &ys.iter().map(|y| u32::from(*y == class)).collect::<Vec<u32>>())
        })?;
        Ok(OneVsRestModel { classes, n_features: xs.columns(), models })
    }
}

/// A fitted [`OneVsRest`].
#[derive(Debug, Clone)]
pub struct OneVsRestModel<M> {
    classes: Vec<u32>,
    n_features: usize,
    models: Vec<Part<M>>,
}

impl<M: Binary> OneVsRestModel<M> {
    /// The model of each class, none for one that is a constant; for two classes one model in all: `estimators_`.
    pub fn models(&self) -> Vec<Option<&M>> {
        self.models.iter().map(Part::model).collect()
    }
}

impl<M: Binary> Classifier for OneVsRestModel<M> {
    fn classes(&self) -> &[u32] {
        &self.classes
    }

    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>> {
        checks::rows_for(self, xs)?;
        if let [only] = &self.models[..] {
            let second = only.is_second(xs)?;
            return Ok(second.into_iter().map(|second| self.classes[usize::from(second)]).collect());
        }
        Ok(winners(&self.classes, &self.decision(xs)?))
    }

    fn warning(&self) -> Option<String> {
        wrapper::warning(&self.models)
    }
}

impl<M: Binary> Decision for OneVsRestModel<M> {
    /// The confidence of each class's model.
    fn decision(&self, xs: &Matrix) -> Result<Matrix> {
        checks::rows_for(self, xs)?;
        let confidence = |part: &Part<M>| match part {
            Part::Model(model) => model.confidence(xs),
            Part::Constant(second) => Ok(vec![if *second { f64::INFINITY } else { f64::NEG_INFINITY }; xs.rows()]),
        };
        Ok(side_by_side(&self.models.iter().map(confidence).collect::<Result<Vec<_>>>()?))
    }
}

impl<M: Binary + Probabilities> Probabilities for OneVsRestModel<M> {
    /// The probability that each class's model gives to its class, divided by their sum.
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix> {
        checks::rows_for(self, xs)?;
        let probability = |part: &Part<M>| match part {
            Part::Model(model) => Ok(model.probabilities(xs)?.column(1)),
            Part::Constant(second) => Ok(vec![f64::from(*second); xs.rows()]),
        };
        let columns = self.models.iter().map(probability).collect::<Result<Vec<_>>>()?;
        if let [second] = &columns[..] {
            return Ok(Matrix::of(2, second.iter().flat_map(|p| [1.0 - p, *p]).collect()));
        }
        let mut all = side_by_side(&columns);
        for row in all.values_mut().chunks_exact_mut(columns.len()) {
            let (sum, even) = (row.iter().sum::<f64>(), 1.0 / row.len() as f64);
            // Where every model is sure that it is not its class, nothing speaks for any.
            row.iter_mut().for_each(|p| *p = if sum > 0.0 { *p / sum } else { even });
        }
        Ok(all)
    }
}

/// Columns as a matrix.
fn side_by_side(columns: &[Vec<f64>]) -> Matrix {
    let rows = columns.first().map_or(0, Vec::len);
    let values = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
    Matrix::of(columns.len(), values)
}
