//! Splits samples into a training and a test set.

use super::checks;
use super::matrix::Matrix;
use crate::error::{Error, Result};
use crate::rng::{self, Rng};

/// Samples and their classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// One row per sample.
    pub xs: Matrix,
    /// One class per sample.
    pub ys: Vec<u32>,
}

impl Samples {
    /// The samples of these numbers, in this order.
    ///
    /// # Errors
    /// [`Error::Shape`] where a number is not that of a sample.
    pub fn select(&self, indices: &[usize]) -> Result<Samples> {
        select(&self.xs, &self.ys, indices)
    }
}

pub(super) fn select(xs: &Matrix, ys: &[u32], indices: &[usize]) -> Result<Samples> {
    checks::same_length(xs, ys)?;
    Ok(Samples { xs: xs.select(indices)?, ys: indices.iter().filter_map(|&i| ys.get(i)).copied().collect() })
}

/// A random split into a training and a test set. scikit-learn's `train_test_split`: the sets have the same sizes, but
/// other samples for the same seed, since the random numbers are not NumPy's.
///
/// ```
/// use tallow::classic::{Blobs, TrainTestSplit};
/// let blobs = Blobs { samples: 120, ..Blobs::default() }.make()?;
/// let split = TrainTestSplit { test: 0.2, ..TrainTestSplit::default() }.split(&blobs.xs, &blobs.ys)?;
/// assert_eq!((split.train.ys.len(), split.test.ys.len()), (96, 24));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TrainTestSplit {
    /// The share of the test set, above 0 and below 1; rounded up to whole samples. Defaults to 0.25.
    pub test: f64,
    /// The seed. Defaults to 42.
    pub seed: u64,
    /// Whether every class is split in the same proportion. Defaults to `false`.
    pub stratified: bool,
}

impl Default for TrainTestSplit {
    fn default() -> TrainTestSplit {
        TrainTestSplit { test: 0.25, seed: 42, stratified: false }
    }
}

/// A training set and a test set.
#[derive(Debug, Clone)]
pub struct TrainTest {
    /// The training set.
    pub train: Samples,
    /// The test set.
    pub test: Samples,
}

impl TrainTestSplit {
    /// Splits samples; both sets are in random order.
    ///
    /// # Errors
    /// [`Error::Config`] where the fraction is not between 0 and 1 or would leave a set empty, or a stratified split
    /// cannot have every class in both; [`Error::Shape`] where the numbers of rows and labels differ.
    pub fn split(&self, xs: &Matrix, ys: &[u32]) -> Result<TrainTest> {
        let (train, test) = self.indices(ys)?;
        Ok(TrainTest { train: select(xs, ys, &train)?, test: select(xs, ys, &test)? })
    }

    /// The indices of the training set and of the test set.
    ///
    /// # Errors
    /// [`Error::Config`] where the share is not between 0 and 1, or would leave one side empty; and where a stratified
    /// split cannot have every class on both sides.
    pub fn indices(&self, ys: &[u32]) -> Result<(Vec<usize>, Vec<usize>)> {
        let n = ys.len();
        if !(self.test > 0.0 && self.test < 1.0) {
            let message = format!("the share that tests must be above 0 and below 1, got {}", self.test);
            return Err(Error::config("test", message));
        }
        let n_test = (self.test * n as f64).ceil() as usize;
        if n_test == 0 || n_test >= n {
            let message = format!("{} of {n} samples would leave none to train with", self.test);
            return Err(Error::config("test", message));
        }
        let mut rng = Rng::new(self.seed).stream("train_test_split");
        if !self.stratified {
            let order = rng.permutation(n);
            let (test, train) = order.split_at(n_test);
            return Ok((train.to_vec(), test.to_vec()));
        }
        let classes = checks::classes(ys);
        let places = checks::places(&classes, ys);
        let mut of_class: Vec<Vec<usize>> = vec![Vec::new(); classes.len()];
        (0..n).for_each(|i| of_class[places[i]].push(i));
        if let Some(lonely) = (0..classes.len()).find(|&k| of_class[k].len() < 2) {
            let class = classes[lonely];
            let message = format!("class {class} has one sample: a stratified split needs two of each");
            return Err(Error::config("stratified", message));
        }
        if n_test < classes.len() || n - n_test < classes.len() {
            let (k, train) = (classes.len(), n - n_test);
            let message = format!("{train} and {n_test} samples cannot have all {k} classes on both sides");
            return Err(Error::config("stratified", message));
        }
        let counts: Vec<usize> = of_class.iter().map(Vec::len).collect();
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for (samples, n_test) in of_class.iter_mut().zip(rng::shares(&counts, n_test)) {
            rng.shuffle(samples);
            test.extend(&samples[..n_test]);
            train.extend(&samples[n_test..]);
        }
        rng.shuffle(&mut train);
        rng.shuffle(&mut test);
        Ok((train, test))
    }
}
