//! Nearest neighbours.

use super::checks;
use super::estimator::{Binary, Classifier, Estimator, Probabilities, winners};
use super::matrix::Matrix;
use super::products::map;
use crate::error::{Error, Result};

/// The majority class of the `k` nearest training samples by Euclidean distance. scikit-learn's `KNeighborsClassifier`
/// with equal weights, its default. At equal distances the earlier sample counts as nearer; ties go to the lower class.
#[derive(Debug, Clone, Copy)]
pub struct KNeighbors {
    k: usize,
}

impl Default for KNeighbors {
    fn default() -> KNeighbors {
        KNeighbors::new(5)
    }
}

impl KNeighbors {
    /// With `k` neighbours; the default is 5.
    pub fn new(k: usize) -> KNeighbors {
        KNeighbors { k }
    }
}

impl Estimator for KNeighbors {
    type Model = KNeighborsModel;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<KNeighborsModel> {
        let classes = checks::several_classes(xs, ys)?;
        if !(1..=xs.rows()).contains(&self.k) {
            let (k, n) = (self.k, xs.rows());
            return Err(Error::config("k", format!("{k} neighbours of {n} samples: expected 1 to {n}")));
        }
        let places = checks::places(&classes, ys);
        Ok(KNeighborsModel { k: self.k, classes, xs: xs.clone(), places })
    }
}

/// A fitted [`KNeighbors`]: the samples themselves.
#[derive(Debug, Clone)]
pub struct KNeighborsModel {
    k: usize,
    classes: Vec<u32>,
    xs: Matrix,
    places: Vec<usize>,
}

impl KNeighborsModel {
    /// The share of each class among the neighbours of a row.
    fn shares(&self, row: &[f64]) -> Vec<f64> {
        let distance = |other: &[f64]| row.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let mut all: Vec<(f64, usize)> = self.xs.iter().map(distance).zip(0..).collect();
        let nearer = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        all.select_nth_unstable_by(self.k - 1, nearer);
        let mut shares = vec![0.0; self.classes.len()];
        for (_, sample) in &all[..self.k] {
            shares[self.places[*sample]] += 1.0;
        }
        // Divided at the end, so that neighbours of one class are 1 and not nearly 1.
        shares.iter_mut().for_each(|count| *count /= self.k as f64);
        shares
    }
}

impl Classifier for KNeighborsModel {
    fn classes(&self) -> &[u32] {
        &self.classes
    }

    fn n_features(&self) -> usize {
        self.xs.columns()
    }

    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>> {
        Ok(winners(&self.classes, &self.probabilities(xs)?))
    }
}

impl Probabilities for KNeighborsModel {
    /// The share of each class among the neighbours.
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix> {
        checks::rows_for(self, xs)?;
        let rows: Vec<&[f64]> = xs.iter().collect();
        Ok(Matrix::of(self.classes.len(), map(rows.len(), |i| self.shares(rows[i])).concat()))
    }
}

impl Binary for KNeighborsModel {
    fn confidence(&self, xs: &Matrix) -> Result<Vec<f64>> {
        checks::has_two_classes(self)?;
        Ok(self.probabilities(xs)?.column(1))
    }
}
