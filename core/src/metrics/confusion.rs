//! The confusion matrix, and precision, recall and F1.

use super::checks;
use crate::error::Result;

/// A confusion matrix: the number of samples of each actual class (rows) that were predicted to be of each class
/// (columns). scikit-learn's `confusion_matrix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    n_classes: usize,
    counts: Vec<u64>,
}

/// How the scores of classes are averaged: scikit-learn's `average`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Averaging {
    /// The mean over all classes; a class without samples and predictions scores 0. scikit-learn's `average="macro"`
    /// with `labels` of all classes, and the line `macro avg` of its report.
    Macro,
    /// The mean over the classes that have samples or predictions: scikit-learn's `average="macro"` without `labels`.
    MacroPresent,
    /// The scores of all samples together. With one label for each sample, all three equal the accuracy.
    Micro,
    /// The mean over classes, each weighted by its number of samples.
    Weighted,
}

/// Precision, recall and their harmonic mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    /// The fraction of samples predicted to be of the class that are: `TP / (TP + FP)`.
    pub precision: f64,
    /// The fraction of samples of the class that are predicted to be: `TP / (TP + FN)`.
    pub recall: f64,
    /// The harmonic mean of both: `2·TP / (2·TP + FP + FN)`.
    pub f1: f64,
}

/// A pair of classes that were confused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confused {
    /// The class of the samples.
    pub actual: usize,
    /// The class that was predicted.
    pub predicted: usize,
    /// The number of samples.
    pub count: u64,
}

impl Confusion {
    /// Counts predictions by actual and predicted class.
    ///
    /// ```
    /// use tallow::metrics::Confusion;
    /// let confusion = Confusion::new(3, &[0, 0, 2, 2, 0, 2], &[2, 0, 2, 2, 0, 1])?;
    /// assert_eq!(confusion.row(2), [1, 0, 2]);
    /// # Ok::<(), tallow::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where the lengths differ or are 0, [`Error::Label`](crate::Error::Label)
    /// where a class is out of range.
    pub fn new(n_classes: usize, predicted: &[u32], actual: &[u32]) -> Result<Confusion> {
        checks::same_length(predicted.len(), actual.len())?;
        let mut counts = vec![0; n_classes * n_classes];
        for (&p, &a) in predicted.iter().zip(actual) {
            counts[checks::class(a, n_classes)? * n_classes + checks::class(p, n_classes)?] += 1;
        }
        Ok(Confusion { n_classes, counts })
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The number of samples of class `actual` predicted to be `predicted`; 0 for classes out of range.
    pub fn get(&self, actual: usize, predicted: usize) -> u64 {
        self.row(actual).get(predicted).copied().unwrap_or(0)
    }

    /// The predictions for samples of class `actual`, counted by class; empty for a class out of range.
    pub fn row(&self, actual: usize) -> &[u64] {
        self.counts.chunks_exact(self.n_classes).nth(actual).unwrap_or(&[])
    }

    /// The counts, by actual and then by predicted class.
    pub fn rows(&self) -> Vec<Vec<u64>> {
        (0..self.n_classes).map(|actual| self.row(actual).to_vec()).collect()
    }

    /// The number of samples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The number of samples of each class.
    pub fn support(&self) -> Vec<u64> {
        (0..self.n_classes).map(|class| self.row(class).iter().sum()).collect()
    }

    /// The number of predictions of each class.
    pub fn predicted(&self) -> Vec<u64> {
        (0..self.n_classes).map(|class| (0..self.n_classes).map(|actual| self.get(actual, class)).sum()).collect()
    }

    /// The fraction of predictions that are right.
    pub fn accuracy(&self) -> f64 {
        ratio(self.right(), self.total())
    }

    /// Precision, recall and F1 of each class.
    pub fn per_class(&self) -> Vec<Scores> {
        let totals = self.predicted().into_iter().zip(self.support()).enumerate();
        totals.map(|(class, (predicted, actual))| Scores::of(self.get(class, class), predicted, actual)).collect()
    }

    /// Precision, recall and F1 averaged over the classes.
    pub fn average(&self, averaging: Averaging) -> Scores {
        let weights: Vec<f64> = match averaging {
            // Every wrong prediction is missed by one class and taken by another, so both totals are the samples.
            Averaging::Micro => return Scores::of(self.right(), self.total(), self.total()),
            Averaging::Macro => vec![1.0; self.n_classes],
            Averaging::MacroPresent => {
                let seen = self.support().into_iter().zip(self.predicted());
                seen.map(|(actual, predicted)| f64::from(u8::from(actual + predicted > 0))).collect()
            }
            Averaging::Weighted => self.support().into_iter().map(|n| n as f64).collect(),
        };
        let (all, total) = (self.per_class(), sum(&weights));
        let average = |score: fn(&Scores) -> f64| {
            let products: Vec<f64> = all.iter().zip(&weights).map(|(scores, weight)| weight * score(scores)).collect();
            if total == 0.0 { 0.0 } else { sum(&products) / total }
        };
        Scores { precision: average(|s| s.precision), recall: average(|s| s.recall), f1: average(|s| s.f1) }
    }

    /// The pairs of classes that were confused at least `min` times, the most frequent first; equally frequent ones are
    /// in the order of their classes. fast.ai's `most_confused`.
    pub fn most_confused(&self, min: u64) -> Vec<Confused> {
        let pairs =
            (0..self.n_classes).flat_map(|actual| (0..self.n_classes).map(move |predicted| (actual, predicted)));
        let mut confused: Vec<Confused> = pairs
            .map(|(actual, predicted)| Confused { actual, predicted, count: self.get(actual, predicted) })
            .filter(|pair| pair.actual != pair.predicted && pair.count >= min.max(1))
            .collect();
        confused.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        confused
    }

    fn right(&self) -> u64 {
        (0..self.n_classes).map(|class| self.get(class, class)).sum()
    }
}

impl Scores {
    pub(super) fn of(right: u64, predicted: u64, actual: u64) -> Scores {
        Scores {
            precision: ratio(right, predicted),
            recall: ratio(right, actual),
            f1: ratio(2 * right, predicted + actual),
        }
    }
}

pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The sum in the order in which NumPy adds up to 128 numbers, so that averages round to the same digits as
/// scikit-learn's.
fn sum(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let Some((first, chunks)) = chunks.split_first() else { return values.iter().sum() };
    let mut lanes = *first;
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, value)| *lane += value);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
}
