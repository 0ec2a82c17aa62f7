//! One-vs-one classification.

use super::checks;
use super::estimator::{Binary, Classifier, Decision, Estimator, winners};
use super::matrix::Matrix;
use super::wrapper::{self, Part};
use crate::error::Result;

/// A multi-class classifier made of two-class ones: for each pair of classes one model, fitted in parallel on the
/// samples of the two. Each model votes for one class of its pair; the class with most votes wins, ties are broken by
/// the sum of confidences. scikit-learn's `OneVsOneClassifier`.
#[derive(Debug, Clone)]
pub struct OneVsOne<C> {
    estimator: C,
    n_classes: Option<usize>,
}

impl<C> OneVsOne<C> {
    /// One-vs-one with this two-class estimator.
    pub fn new(estimator: C) -> OneVsOne<C> {
        OneVsOne { estimator, n_classes: None }
    }

    /// Announces that the classes are `0..n`, though not all of them may occur among the samples. Against one that does
    /// not occur, the other always has the vote. Defaults to the classes that occur.
    pub fn n_classes(mut self, n: usize) -> OneVsOne<C> {
        self.n_classes = Some(n);
        self
    }
}

impl<C: Estimator<Model: Binary>> Estimator for OneVsOne<C> {
    type Model = OneVsOneModel<C::Model>;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<Self::Model> {
        let classes = wrapper::classes(self.n_classes, xs, ys)?;
        let pairs = pairs(classes.len());
        let models = wrapper::fit_all(pairs.len(), |i| {
            let (first, second) = (classes[pairs[i].0], classes[pairs[i].1]);
            let of_pair: Vec<usize> = (0..ys.len()).filter(|&i| ys[i] == first || ys[i] == second).collect();
            let is_second: Vec<u32> = of_pair.iter().map(|&i| u32::from(ys[i] == second)).collect();
            wrapper::fit(&self.estimator, &xs.select(&of_pair)?, &is_second)
        })?;
        Ok(OneVsOneModel { classes, n_features: xs.columns(), models })
    }
}

/// The pairs of `n` classes in the order of their models: 0 and 1, 0 and 2, ..., 1 and 2, ...
fn pairs(n: usize) -> Vec<(usize, usize)> {
    (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect()
}

/// A fitted [`OneVsOne`].
#[derive(Debug, Clone)]
pub struct OneVsOneModel<M> {
    classes: Vec<u32>,
    n_features: usize,
    models: Vec<Part<M>>,
}

impl<M: Binary> OneVsOneModel<M> {
    /// The model of each pair, none for one that is a constant: `estimators_`. Pairs come in the order 0 and 1, 0 and
    /// 2, ..., 1 and 2, ...; a positive decision is for the second of the pair.
    pub fn models(&self) -> Vec<Option<&M>> {
        self.models.iter().map(Part::model).collect()
    }

    /// Votes plus confidence, `[N, n_classes]`, for two classes too.
    fn tally(&self, xs: &Matrix) -> Result<Matrix> {
        checks::rows_for(self, xs)?;
        let n = self.classes.len();
        let mut votes = Matrix::of(n, vec![0.0; xs.rows() * n]);
        let mut confidences = votes.clone();
        for ((first, second), part) in pairs(n).into_iter().zip(&self.models) {
            let confidence = match part {
                Part::Model(model) => model.confidence(xs)?,
                Part::Constant(second) => vec![f64::from(*second); xs.rows()],
            };
            for (row, (is_second, confidence)) in part.is_second(xs)?.into_iter().zip(confidence).enumerate() {
                let winner = if is_second { second } else { first };
                votes.values_mut()[row * n + winner] += 1.0;
                confidences.values_mut()[row * n + first] -= confidence;
                confidences.values_mut()[row * n + second] += confidence;
            }
        }
        for (votes, sum) in votes.values_mut().iter_mut().zip(confidences.values()) {
            // Between -1/3 and 1/3, so that it decides between equal votes and nothing else.
            *votes += sum / (3.0 * (sum.abs() + 1.0));
        }
        Ok(votes)
    }
}

impl<M: Binary> Classifier for OneVsOneModel<M> {
    fn classes(&self) -> &[u32] {
        &self.classes
    }

    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>> {
        Ok(winners(&self.classes, &self.tally(xs)?))
    }

    fn warning(&self) -> Option<String> {
        wrapper::warning(&self.models)
    }
}

impl<M: Binary> Decision for OneVsOneModel<M> {
    /// The votes for each class, plus the sum of its confidences, squeezed into -1/3 to 1/3. With two classes there is
    /// one column, the second class's: 1 and more where it has the vote.
    fn decision(&self, xs: &Matrix) -> Result<Matrix> {
        let tally = self.tally(xs)?;
        if self.classes.len() == 2 {
            return Ok(Matrix::of(1, tally.column(1)));
        }
        Ok(tally)
    }
}
