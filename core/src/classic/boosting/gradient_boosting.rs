//! Fits, and what they become.

use super::bins::Bins;
use super::settings::GradientBoosting;
use super::tree::{Slopes, Tree};
use crate::classic::checks;
use crate::classic::estimator::{Classifier, Estimator, Probabilities, winners};
use crate::classic::matrix::Matrix;
use crate::error::{Error, Result};
use rayon::prelude::*;

/// What [`GradientBoosting`] becomes when it was fitted to classes.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedClassifier {
    classes: Vec<u32>,
    /// One of two classes, else one for each.
    scores: Vec<Boosted>,
    n_features: usize,
}

/// What [`GradientBoosting`] becomes when it was fitted to numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostedRegressor {
    score: Boosted,
    n_features: usize,
}

/// A sum of trees.
#[derive(Debug, Clone, PartialEq)]
struct Boosted {
    base: f64,
    trees: Vec<Tree>,
}

impl Boosted {
    fn value(&self, row: &[f64]) -> f64 {
        self.base + self.trees.iter().map(|tree| tree.value(row)).sum::<f64>()
    }
}

impl GradientBoosting {
    /// Fits to numbers by the squared error.
    ///
    /// # Errors
    /// When rows and numbers are not equally many or none, a value is not finite, or a setting is out of its range.
    pub fn fit_numbers(&self, xs: &Matrix, ys: &[f64]) -> Result<BoostedRegressor> {
        self.check()?;
        checks::finite(xs)?;
        if xs.rows() != ys.len() || ys.is_empty() {
            let message = format!("{} rows and {} numbers: expected one for each row", xs.rows(), ys.len());
            return Err(Error::shape(message, &[ys.len()]));
        }
        if let Some(y) = ys.iter().find(|y| !y.is_finite()) {
            return Err(Error::Value(format!("a number to be predicted is {y}; remove its row")));
        }
        let base = ys.iter().sum::<f64>() / ys.len() as f64;
        let scores = self.boost(xs, vec![base], |scores| {
            let gradients = scores[0].iter().zip(ys).map(|(score, y)| score - y).collect();
            vec![Slopes { gradients, hessians: vec![1.0; ys.len()] }]
        });
        let score = scores.into_iter().next().unwrap_or(Boosted { base, trees: Vec::new() });
        Ok(BoostedRegressor { score, n_features: xs.columns() })
    }

    /// Grows trees, one for each score in each round, by the slopes that the scores so far have.
    fn boost(&self, xs: &Matrix, base: Vec<f64>, slopes: impl Fn(&[Vec<f64>]) -> Vec<Slopes>) -> Vec<Boosted> {
        let bins = Bins::fit(xs);
        let binned = bins.binned(xs);
        let mut scores: Vec<Vec<f64>> = base.iter().map(|&base| vec![base; xs.rows()]).collect();
        let mut boosted: Vec<Boosted> = base.into_iter().map(|base| Boosted { base, trees: Vec::new() }).collect();
        for _ in 0..self.max_iter {
            for (i, slopes) in slopes(&scores).iter().enumerate() {
                let (tree, values) = Tree::grow(&binned, &bins, slopes, self);
                scores[i].iter_mut().zip(values).for_each(|(score, value)| *score += value);
                boosted[i].trees.push(tree);
            }
        }
        boosted
    }

    fn check(&self) -> Result<()> {
        checks::positive("learning_rate", self.learning_rate)?;
        if self.max_leaf_nodes < 2 || self.min_samples_leaf == 0 || self.max_iter == 0 {
            let message = "gradient boosting needs a round, two leaves, and a sample in each, at least";
            return Err(Error::config("max_leaf_nodes", message));
        }
        Ok(())
    }
}

impl Estimator for GradientBoosting {
    type Model = BoostedClassifier;

    fn fit(&self, xs: &Matrix, ys: &[u32]) -> Result<BoostedClassifier> {
        self.check()?;
        let classes = checks::several_classes(xs, ys)?;
        let places = checks::places(&classes, ys);
        let n = ys.len() as f64;
        let share = |class: usize| places.iter().filter(|&&place| place == class).count() as f64 / n;
        let slope = |p: f64, y: bool| (p - f64::from(u8::from(y)), p * (1.0 - p));
        let (base, n_scores): (Vec<f64>, usize) = match classes.len() {
            2 => (vec![(share(1) / share(0)).ln()], 1),
            k => ((0..k).map(|class| share(class).ln()).collect(), k),
        };
        let scores = self.boost(xs, base, |scores| {
            let of_class = |class: usize| {
                let slope = |row: usize| match n_scores {
                    1 => slope(sigmoid(scores[0][row]), places[row] == 1),
                    _ => slope(share_of(scores.iter().map(|of| of[row]), class), places[row] == class),
                };
                let (gradients, hessians) = (0..ys.len()).map(slope).unzip();
                Slopes { gradients, hessians }
            };
            (0..n_scores).map(of_class).collect()
        });
        Ok(BoostedClassifier { classes, scores, n_features: xs.columns() })
    }
}

impl Classifier for BoostedClassifier {
    fn classes(&self) -> &[u32] {
        &self.classes
    }

    fn n_features(&self) -> usize {
        self.n_features
    }

    fn predict(&self, xs: &Matrix) -> Result<Vec<u32>> {
        Ok(winners(&self.classes, &self.probabilities(xs)?))
    }
}

impl Probabilities for BoostedClassifier {
    fn probabilities(&self, xs: &Matrix) -> Result<Matrix> {
        checks::rows_for(self, xs)?;
        let of_row = |row: usize| -> Vec<f64> {
            let scores: Vec<f64> = self.scores.iter().map(|score| score.value(xs.row(row))).collect();
            match scores[..] {
                [score] => vec![sigmoid(-score), sigmoid(score)],
                _ => (0..scores.len()).map(|class| share_of(scores.iter().copied(), class)).collect(),
            }
        };
        let rows: Vec<Vec<f64>> = (0..xs.rows()).into_par_iter().map(of_row).collect();
        Ok(Matrix::of(self.classes.len(), rows.concat()))
    }
}

impl BoostedRegressor {
    /// The number of each row.
    ///
    /// # Errors
    /// When rows have another width than the model was fitted to.
    pub fn predict(&self, xs: &Matrix) -> Result<Vec<f64>> {
        checks::width(self.n_features, xs)?;
        Ok((0..xs.rows()).into_par_iter().map(|row| self.score.value(xs.row(row))).collect())
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One value of a softmax.
fn share_of(scores: impl Iterator<Item = f64> + Clone, class: usize) -> f64 {
    let highest = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut own) = (0.0, 0.0);
    for (i, score) in scores.enumerate() {
        let weight = (score - highest).exp();
        sum += weight;
        own = if i == class { weight } else { own };
    }
    own / sum
}
