//! Metrics of scores and probabilities.

use super::checks::{self, Real};
use crate::error::{Error, Result};

/// The cross entropy of probabilities, the mean of `-ln p` over the probabilities `p` of the samples' actual classes.
/// scikit-learn's `log_loss`; as there, probabilities are clipped to one machine epsilon from 0 and 1, so that the
/// loss is finite.
///
/// ```
/// let loss = tallow::metrics::log_loss(&[0.1, 0.9, 0.9, 0.1, 0.8, 0.2, 0.35, 0.65], 2, &[1, 0, 0, 1])?;
/// assert!((loss - 0.21616187468057912).abs() < 1e-15);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where there are not `n_classes` probabilities for each label, [`Error::Label`] where a label is out
/// of range, [`Error::Value`] where a probability is not between 0 and 1.
pub fn log_loss<T: Real>(probabilities: &[T], n_classes: usize, actual: &[u32]) -> Result<f64> {
    let rows = checks::rows(probabilities, n_classes, actual.len())?;
    // A softmax in single precision may end a rounding error above 1.
    let sound = |p: f64| (0.0..=1.0 + 4.0 * T::EPSILON).contains(&p);
    let mut sum = 0.0;
    for (row, &label) in rows.iter().zip(actual) {
        let p = row[checks::class(label, n_classes)?];
        if let Some(bad) = row.iter().find(|&&p| !sound(p)) {
            return Err(Error::Value(format!("{bad} is not a probability: expected 0 to 1; apply softmax first")));
        }
        sum -= p.clamp(T::EPSILON, 1.0 - T::EPSILON).ln();
    }
    Ok(sum / actual.len() as f64)
}

/// The area under the receiver operating characteristic curve: the probability that a sample of class 1 scores higher
/// than a sample of class 0, where ties count half. scikit-learn's `roc_auc_score`.
///
/// ```
/// assert_eq!(tallow::metrics::roc_auc(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1])?, 0.75);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where the lengths differ, [`Error::Label`] where a label is neither 0 nor 1, [`Error::Value`] where
/// a score is NaN, or one class has no sample.
pub fn roc_auc<T: Real>(scores: &[T], actual: &[u32]) -> Result<f64> {
    checks::same_length(scores.len(), actual.len())?;
    checks::no_nan(scores)?;
    let labels = actual.iter().map(|&label| checks::class(label, 2).map(|class| class == 1));
    let labels = labels.collect::<Result<Vec<bool>>>()?;
    let mut pairs: Vec<(f64, bool)> = scores.iter().map(|&score| score.into()).zip(labels).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));

    // From the lowest score up, group by group of equal scores: each positive beats the negatives below it, and half
    // of those beside it.
    let (mut below, mut wins) = (0_u64, 0.0);
    for group in pairs.chunk_by(|a, b| a.0 == b.0) {
        let positive = group.iter().filter(|pair| pair.1).count() as u64;
        let negative = group.len() as u64 - positive;
        wins += positive as f64 * (below as f64 + negative as f64 / 2.0);
        below += negative;
    }
    let (negatives, positives) = (below, pairs.len() as u64 - below);
    if negatives == 0 || positives == 0 {
        let what = format!("{negatives} samples of class 0 and {positives} of class 1: the area needs both classes");
        return Err(Error::Value(what));
    }
    Ok(wins / (negatives as f64 * positives as f64))
}

/// The mean [`roc_auc`] of each class against all others. scikit-learn's `roc_auc_score(multi_class="ovr",
/// average="macro")`.
///
/// # Errors
/// [`Error::Shape`] where there are not `n_classes` scores for each label, [`Error::Label`] where a label is out of
/// range, [`Error::Value`] where a score is NaN, or one class has no sample.
pub fn roc_auc_ovr<T: Real>(scores: &[T], n_classes: usize, actual: &[u32]) -> Result<f64> {
    let rows = checks::rows(scores, n_classes, actual.len())?;
    for &label in actual {
        checks::class(label, n_classes)?;
    }
    let mut sum = 0.0;
    for class in 0..n_classes {
        let column: Vec<f64> = rows.iter().map(|row| row[class]).collect();
        let labels: Vec<u32> = actual.iter().map(|&label| u32::from(label as usize == class)).collect();
        sum += roc_auc(&column, &labels)?;
    }
    Ok(sum / n_classes as f64)
}
