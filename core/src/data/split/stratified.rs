//! The same share of each class for validation.

use super::{Split, Splitter, by_class, check_share};
use crate::error::{Error, Result};
use crate::rng::{Rng, shares};
use std::path::PathBuf;

/// Takes the same random share of each class for validation: as many items in all as the share rounded up, and of each
/// class in proportion. scikit-learn's `train_test_split(stratify=labels)`.
#[derive(Debug, Clone)]
pub struct StratifiedSplitter {
    /// The share, between 0 and 1.
    pub valid: f64,
    /// Another seed gives another split.
    pub seed: u64,
}

impl Splitter for StratifiedSplitter {
    /// # Errors
    /// As in scikit-learn when a class has a single item, or there are more classes than items on one side.
    fn split_items(&self, _files: &[PathBuf], labels: &[String]) -> Result<Split> {
        check_share(self.valid)?;
        let classes = by_class(labels);
        if let Some((class, _)) = classes.iter().find(|(_, items)| items.len() < 2) {
            let message = format!(
                "class `{class}` has a single item, and a stratified split needs two of each; add some, or use \
                 `EveryClassSplitter`, which trains with it"
            );
            return Err(Error::config("valid", message));
        }
        let n_valid = n_valid(self.valid, labels.len());
        let n_train = labels.len() - n_valid;
        if n_train.min(n_valid) < classes.len() {
            let n = classes.len();
            let message = format!(
                "{n_train} items to train with and {n_valid} for validation cannot have all {n} classes on both \
                 sides; choose another share than {}, or use `EveryClassSplitter`",
                self.valid
            );
            return Err(Error::config("valid", message));
        }
        let counts: Vec<usize> = classes.values().map(Vec::len).collect();
        Ok(draw(labels, &shares(&counts, n_valid), self.seed))
    }
}

/// Takes the same random share of each class for validation, for any number of items: as many in all as the share
/// rounded down, as in fast.ai's `RandomSplitter`, but of each class of two items or more at least one, and one stays
/// to train with. A class of a single item is trained with. What [`super::super::DataBlock`] does by default.
#[derive(Debug, Clone)]
pub struct EveryClassSplitter {
    /// The share, between 0 and 1; more is taken where a class would otherwise have no item for validation.
    pub valid: f64,
    /// Another seed gives another split.
    pub seed: u64,
}

impl Splitter for EveryClassSplitter {
    fn split_items(&self, _files: &[PathBuf], labels: &[String]) -> Result<Split> {
        check_share(self.valid)?;
        let counts: Vec<usize> = by_class(labels).values().map(Vec::len).collect();
        let divisible: Vec<usize> = counts.iter().map(|&n| if n > 1 { n } else { 0 }).collect();
        let n: usize = divisible.iter().sum();
        let wanted = shares(&divisible, (self.valid * n as f64 + 1e-9) as usize);
        let taken = wanted.iter().zip(&counts).map(|(&wanted, &n)| if n > 1 { wanted.clamp(1, n - 1) } else { 0 });
        Ok(draw(labels, &taken.collect::<Vec<_>>(), self.seed))
    }
}

/// A share of `n` items, rounded up as scikit-learn rounds it; what is above a whole number by rounding alone is not.
fn n_valid(share: f64, n: usize) -> usize {
    (share * n as f64 - 1e-9).ceil().max(0.0) as usize
}

/// Takes as many items of each class, in sorted order, at random.
fn draw(labels: &[String], of_each: &[usize], seed: u64) -> Split {
    let mut split = Split { train: Vec::new(), valid: Vec::new() };
    let rng = Rng::new(seed).stream("split");
    for ((class, mut items), &n) in by_class(labels).into_iter().zip(of_each) {
        rng.stream(class).shuffle(&mut items);
        let (valid, train) = items.split_at(n);
        split.valid.extend(valid);
        split.train.extend(train);
    }
    split.train.sort_unstable();
    split.valid.sort_unstable();
    split
}
