//! Metrics for samples with several labels, or none.

use super::checks::{self, Real};
use super::confusion::{Scores, ratio};
use crate::error::{Error, Result};

/// The area under the precision-recall curve, as a sum over thresholds from the highest score down. scikit-learn's
/// `average_precision_score`.
///
/// ```text
/// AP = Σ_n (recall_n - recall_{n-1}) · precision_n
/// ```
///
/// `actual` is 1 for samples of the class and 0 for the others; without samples of the class the result is 0.
///
/// ```
/// let ap = tallow::metrics::average_precision(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1])?;
/// assert!((ap - 0.8333333333333333).abs() < 1e-15);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where the lengths differ, [`Error::Label`] where a label is neither 0 nor 1, [`Error::Value`] where
/// a score is NaN.
pub fn average_precision<T: Real>(scores: &[T], actual: &[u32]) -> Result<f64> {
    checks::same_length(scores.len(), actual.len())?;
    checks::no_nan(scores)?;
    let mut pairs = Vec::with_capacity(scores.len());
    for (&score, &label) in scores.iter().zip(actual) {
        pairs.push((score.into(), checks::class(label, 2)? == 1));
    }
    pairs.sort_by(|a: &(f64, bool), b| b.0.total_cmp(&a.0));
    let positives = pairs.iter().filter(|pair| pair.1).count() as f64;
    if positives == 0.0 {
        return Ok(0.0);
    }
    let (mut seen, mut found, mut area) = (0.0, 0.0, 0.0);
    // Equal scores are one step.
    for group in pairs.chunk_by(|a, b| a.0 == b.0) {
        let gained = group.iter().filter(|pair| pair.1).count() as f64;
        seen += group.len() as f64;
        found += gained;
        area += gained / positives * (found / seen);
    }
    Ok(area)
}

/// The scores of a multi-label classifier, as a whole and for each class.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabelReport {
    /// The classes in order.
    pub classes: Vec<MultiLabelClass>,
    /// The fraction of right answers, with one yes or no for each sample and class. fast.ai's `accuracy_multi`.
    pub accuracy: f64,
    /// The fraction of samples whose answers are all right. scikit-learn's `accuracy_score` of label sets.
    pub subset_accuracy: f64,
    /// The mean of the classes' F1 scores.
    pub macro_f1: f64,
    /// The F1 score of all answers together.
    pub micro_f1: f64,
    /// The mean [`average_precision`] of the classes that have samples.
    pub mean_average_precision: f64,
}

/// The scores of one class in a [`MultiLabelReport`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiLabelClass {
    /// The number of samples of the class.
    pub support: u64,
    /// The number of samples predicted to be of the class.
    pub predicted: u64,
    /// Precision, recall and F1 at the threshold.
    pub scores: Scores,
    /// The class's [`average_precision`], which does not depend on the threshold.
    pub average_precision: f64,
}

impl MultiLabelReport {
    /// Evaluates probabilities. A class is predicted where its probability is at least `threshold`.
    ///
    /// ```
    /// let probabilities = [0.9, 0.2, 0.6, 0.4, 0.8, 0.3, 0.7, 0.6, 0.1];
    /// let actual = [1, 0, 1, 1, 1, 0, 1, 0, 0];
    /// let report = tallow::metrics::MultiLabelReport::new(&probabilities, &actual, 3, 0.5)?;
    /// assert!((report.accuracy - 7.0 / 9.0).abs() < 1e-12 && (report.subset_accuracy - 1.0 / 3.0).abs() < 1e-12);
    /// assert!((report.macro_f1 - 0.8222222222222222).abs() < 1e-12 && (report.micro_f1 - 0.8).abs() < 1e-12);
    /// # Ok::<(), tallow::Error>(())
    /// ```
    ///
    /// # Shapes
    /// `probabilities` and `actual` (0 or 1) `[N, n_classes]`, row by row.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lengths differ or are not a whole number of rows, [`Error::Label`] where a value of
    /// `actual` is neither 0 nor 1, [`Error::Value`] where a probability is NaN.
    pub fn new<T: Real>(
        probabilities: &[T],
        actual: &[u32],
        n_classes: usize,
        threshold: f64,
    ) -> Result<MultiLabelReport> {
        checks::same_length(probabilities.len(), actual.len())?;
        if n_classes == 0 || !actual.len().is_multiple_of(n_classes) {
            let message = format!("{} answers are not a whole number of rows of {n_classes} classes", actual.len());
            return Err(Error::shape(message, &[actual.len()]));
        }
        let said = |p: T| p.into() >= threshold;
        let mut classes = Vec::with_capacity(n_classes);
        let (mut all_right, mut all_said, mut all_true) = (0, 0, 0);
        for class in 0..n_classes {
            let of_class = |values: usize| (class..values).step_by(n_classes);
            let scores: Vec<T> = of_class(probabilities.len()).map(|i| probabilities[i]).collect();
            let truth: Vec<u32> = of_class(actual.len()).map(|i| actual[i]).collect();
            let average_precision = average_precision(&scores, &truth)?;
            let support = truth.iter().filter(|&&y| y == 1).count() as u64;
            let predicted = scores.iter().filter(|&&p| said(p)).count() as u64;
            let right = scores.iter().zip(&truth).filter(|&(&p, &y)| said(p) && y == 1).count() as u64;
            (all_right, all_said, all_true) = (all_right + right, all_said + predicted, all_true + support);
            let scores = Scores::of(right, predicted, support);
            classes.push(MultiLabelClass { support, predicted, scores, average_precision });
        }
        let is_right = |(&p, &y): (&T, &u32)| said(p) == (y == 1);
        let n_right = probabilities.iter().zip(actual).filter(|&pair| is_right(pair)).count() as u64;
        let rows = probabilities.chunks_exact(n_classes).zip(actual.chunks_exact(n_classes));
        let whole = rows.filter(|(p, y)| p.iter().zip(*y).all(is_right)).count() as u64;
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let with_samples = classes.iter().filter(|class| class.support > 0);
        Ok(MultiLabelReport {
            accuracy: ratio(n_right, actual.len() as u64),
            subset_accuracy: ratio(whole, (actual.len() / n_classes) as u64),
            macro_f1: mean(classes.iter().map(|class| class.scores.f1).collect()),
            micro_f1: Scores::of(all_right, all_said, all_true).f1,
            mean_average_precision: mean(with_samples.map(|class| class.average_precision).collect()),
            classes,
        })
    }
}
