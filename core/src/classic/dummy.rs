//! Baseline classifiers.

use super::checks;
use super::estimator::{Binary, Classifier, Estimator, Probabilities, winners};
use super::matrix::Matrix;
use crate::error::Result;
use crate::rng::Rng;

/// A baseline classifier that ignores the features. scikit-learn's `DummyClassifier`.
#[derive(Debug, Clone, Copy, Default)]
pub enum DummyClassifier {
    /// The most frequent class, of equals the lowest; the probabilities are the classes' frequencies. The default.
    #[default]
    Prior,
    /// The same, with probability 1.
    MostFrequent,
    /// Drawn at random, each class as often as it occurs in training. The same seed draws the same classes for the rows
    /// of every call.
    Stratified {
        /// Another seed draws other classes.
        seed: u64,
    },
    /// Drawn at random, each class as likely as the others.
    Uniform {
        /// Another seed draws other classes.
        seed: u64,
    },
}

impl Estimator for DummyClassifier {
    type Model = DummyModel;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<DummyModel> {
        let classes = checks::training(xs, ys)?;
        let mut counts = vec![0_usize; classes.len()];
        for place in checks::places(&classes, ys) {
            counts[place] += 1;
        }
        let prior = counts.iter().map(|&n| n as f64 / ys.len() as f64).collect();
        Ok(DummyModel { strategy: *self, classes, prior, n_features: xs.columns() })
    }
}

/// A fitted [`DummyClassifier`].
#[derive(Debug, Clone)]
pub struct DummyModel {
    strategy: DummyClassifier,
    classes: Vec<u32>,
    prior: Vec<f64>,
    n_features: usize,
}

impl DummyModel {
    /// The frequency of each class in training: `class_prior_`.
    pub fn prior(&self) -> &[f64] {
        &self.prior
    }

    /// For each row the place of a class, by a number from 0 to 1.
    fn drawn(&self, rows: usize, seed: u64, place: impl Fn(f64) -> usize) -> Vec<f64> {
        let mut rng = Rng::new(seed).stream("dummy");
        let n = self.classes.len();
        let mut values = vec![0.0; rows * n];
        for row in values.chunks_exact_mut(n) {
            row[place(rng.uniform(0.0, 1.0)).min(n - 1)] = 1.0;
        }
        values
    }

    /// Probabilities from which the predicted class follows.
    fn certain(&self, rows: usize) -> Matrix {
        let n = self.classes.len();
        let by_prior = |u: f64| {
            let mut sum = 0.0;
            self.prior.iter().take_while(|&&p| (sum += p, sum <= u).1).count()
        };
        let values = match self.strategy {
            DummyClassifier::Prior => self.prior.repeat(rows),
            DummyClassifier::MostFrequent => {
                let most = (0..n).fold(0, |best, i| if self.prior[i] > self.prior[best] { i } else { best });
                (0..n).map(|i| f64::from(i == most)).collect::<Vec<f64>>().repeat(rows)
            }
            DummyClassifier::Stratified { seed } => self.drawn(rows, seed, by_prior),
            DummyClassifier::Uniform { seed } => self.drawn(rows, seed, |u| (u * n as f64) as usize),
        };
        Matrix::of(n, values)
    }
}

impl Classifier for DummyModel {
    fn classes(&self) -> &[u32] {
        &self.classes
    }

    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>> {
        checks::rows_for(self, xs)?;
        if self.classes.len() == 1 {
            return Ok(self.classes.repeat(xs.rows()));
        }
        Ok(winners(&self.classes, &self.certain(xs.rows())))
    }
}

impl Probabilities for DummyModel {
    /// The frequencies for `Prior`; for `Uniform` all the same; else 1 for the predicted class.
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix> {
        checks::rows_for(self, xs)?;
        let n = self.classes.len();
        match self.strategy {
            DummyClassifier::Uniform { .. } => Ok(Matrix::of(n, vec![1.0 / n as f64; n * xs.rows()])),
            _ => Ok(self.certain(xs.rows())),
        }
    }
}

impl Binary for DummyModel {
    fn confidence(&self, xs: &Matrix) -> Result<Vec<f64>> {
        checks::has_two_classes(self)?;
        Ok(self.probabilities(xs)?.column(1))
    }
}
