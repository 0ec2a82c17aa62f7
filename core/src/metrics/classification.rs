//! Metrics of predicted classes.

use super::checks::{self, Real};
use crate::error::Result;
use std::collections::BTreeMap;

/// The fraction of predictions that are right. scikit-learn's `accuracy_score`.
///
/// ```
/// assert_eq!(tallow::metrics::accuracy(&[0, 1, 1, 2], &[0, 1, 2, 2])?, 0.75);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) where the lengths differ or are 0.
pub fn accuracy(predicted: &[u32], actual: &[u32]) -> Result<f64> {
    checks::same_length(predicted.len(), actual.len())?;
    let right = predicted.iter().zip(actual).filter(|(p, a)| p == a).count();
    Ok(right as f64 / actual.len() as f64)
}

/// The fraction of predictions that are wrong, `1 - accuracy`. fast.ai's `error_rate`.
///
/// ```
/// assert_eq!(tallow::metrics::error_rate(&[0, 1, 1, 2], &[0, 1, 2, 2])?, 0.25);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) where the lengths differ or are 0.
pub fn error_rate(predicted: &[u32], actual: &[u32]) -> Result<f64> {
    Ok(1.0 - accuracy(predicted, actual)?)
}

/// The mean recall of the classes, in which a rare class counts as much as a common one. Classes without samples are
/// left out. scikit-learn's `balanced_accuracy_score`.
///
/// ```
/// // An accuracy of 0.9, and yet a poor detector of class 1.
/// let all_zeros = [0; 10];
/// assert_eq!(tallow::metrics::balanced_accuracy(&all_zeros, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1])?, 0.5);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) where the lengths differ or are 0.
pub fn balanced_accuracy(predicted: &[u32], actual: &[u32]) -> Result<f64> {
    checks::same_length(predicted.len(), actual.len())?;
    let mut classes: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for (predicted, actual) in predicted.iter().zip(actual) {
        let (right, all) = classes.entry(*actual).or_default();
        *right += u64::from(predicted == actual);
        *all += 1;
    }
    let recalls = classes.values().map(|&(right, all)| right as f64 / all as f64);
    Ok(recalls.sum::<f64>() / classes.len() as f64)
}

/// The fraction of samples whose class is among the `k` with the highest scores. scikit-learn's
/// `top_k_accuracy_score`; as there, the class with the larger index ranks first among equal scores.
///
/// ```
/// let scores = [0.5, 0.2, 0.2, 0.3, 0.4, 0.2, 0.2, 0.4, 0.3, 0.7, 0.2, 0.1];
/// assert_eq!(tallow::metrics::top_k_accuracy(&scores, 3, &[0, 1, 2, 2], 2)?, 0.75);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) where there are not `n_classes` scores for each label,
/// [`Error::Label`](crate::Error::Label) where a label is out of range, [`Error::Value`](crate::Error::Value) where a
/// score is NaN.
pub fn top_k_accuracy<T: Real>(scores: &[T], n_classes: usize, actual: &[u32], k: usize) -> Result<f64> {
    let rows = checks::rows(scores, n_classes, actual.len())?;
    let mut hits = 0;
    for (row, &label) in rows.iter().zip(actual) {
        let class = checks::class(label, n_classes)?;
        let ahead = |(i, &score): (usize, &f64)| score > row[class] || (score == row[class] && i > class);
        hits += usize::from(row.iter().enumerate().filter(|&other| ahead(other)).count() < k);
    }
    Ok(hits as f64 / actual.len() as f64)
}
