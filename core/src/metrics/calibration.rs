//! Calibration: whether 80 of 100 predictions with a probability of 0.8 are right.

use super::checks::{self, Real};
use crate::error::{Error, Result};

/// Predictions of similar confidence: one point of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// The number of predictions.
    pub n: u64,
    /// The mean probability of the predicted class, from 0 to 1.
    pub confidence: f64,
    /// The fraction of predictions that are right, from 0 to 1.
    pub accuracy: f64,
}

/// The points of a reliability diagram (Guo et al., *On Calibration of Modern Neural Networks*, 2017): predictions
/// grouped by the probability of the predicted class into `n_bins` bins of equal width, without empty bins.
///
/// # Errors
/// [`Error::Shape`] where there are not `n_classes` probabilities for each label, [`Error::Label`] where a label is out
/// of range, [`Error::Config`] where `n_bins` is 0, [`Error::Value`] where a probability is NaN.
pub fn reliability<T: Real>(
    probabilities: &[T],
    n_classes: usize,
    actual: &[u32],
    n_bins: usize,
) -> Result<Vec<ReliabilityBin>> {
    if n_bins == 0 {
        return Err(Error::config("n_bins", "a reliability diagram needs at least one bin"));
    }
    let mut sums = vec![(0_u64, 0.0, 0_u64); n_bins];
    for (row, &label) in checks::rows(probabilities, n_classes, actual.len())?.iter().zip(actual) {
        let class = checks::class(label, n_classes)?;
        let best = (0..n_classes).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        // Bins are open below and closed above, as in the paper's code.
        let bin = ((row[best] * n_bins as f64).ceil() as usize).clamp(1, n_bins) - 1;
        let (n, confidence, right) = &mut sums[bin];
        (*n, *confidence, *right) = (*n + 1, *confidence + row[best], *right + u64::from(best == class));
    }
    let bin = |(n, confidence, right): (u64, f64, u64)| ReliabilityBin {
        n,
        confidence: confidence / n as f64,
        accuracy: right as f64 / n as f64,
    };
    Ok(sums.into_iter().filter(|(n, ..)| *n > 0).map(bin).collect())
}

/// The expected calibration error (Guo et al., 2017): the mean distance between accuracy and confidence over the bins
/// of [`reliability`], weighted by their numbers of predictions. The paper uses 15 bins.
///
/// ```text
/// ECE = Σ_b n_b / n · |accuracy_b - confidence_b|
/// ```
///
/// ```
/// let probabilities = [0.7, 0.2, 0.1, 0.2, 0.5, 0.3, 0.1, 0.6, 0.3, 0.3, 0.3, 0.4, 0.2, 0.2, 0.6];
/// let error = tallow::metrics::expected_calibration_error(&probabilities, 3, &[0, 1, 2, 2, 0], 10)?;
/// assert!((error - 0.52).abs() < 1e-12); // |1 - 0.7| / 5 + |1 - 0.5| / 5 + 2 · |0 - 0.6| / 5 + |1 - 0.4| / 5
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where there are not `n_classes` probabilities for each label, [`Error::Label`] where a label is out
/// of range, [`Error::Config`] where `n_bins` is 0, [`Error::Value`] where a probability is NaN.
pub fn expected_calibration_error<T: Real>(
    probabilities: &[T],
    n_classes: usize,
    actual: &[u32],
    n_bins: usize,
) -> Result<f64> {
    let bins = reliability(probabilities, n_classes, actual, n_bins)?;
    let distance = |bin: &ReliabilityBin| bin.n as f64 * (bin.confidence - bin.accuracy).abs();
    Ok(bins.iter().map(distance).sum::<f64>() / actual.len() as f64)
}

/// The logarithm of 50: [`fit_temperature`] considers temperatures from 1/50 to 50.
const RANGE: f64 = 3.912_023_005_428_146;

/// Temperature scaling (Guo et al., 2017): the temperature `T` for which `softmax(log(p) / T)` has the least log loss.
/// It is above 1 for an overconfident network.
///
/// `probabilities` are row-major. Fit it on samples that the network was not trained on, some of them misclassified: if
/// all are right, the result is the smallest temperature considered, 1/50.
///
/// ```
/// let probabilities = [0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.2, 0.8];
/// let temperature = tallow::metrics::fit_temperature(&probabilities, 2, &[0, 0, 1, 1])?;
/// assert!((temperature - 2.11583).abs() < 1e-4); // SciPy's `minimize_scalar`
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where there are not `n_classes` probabilities for each label, [`Error::Label`] where a label is out
/// of range, [`Error::Value`] where a probability is NaN.
pub fn fit_temperature<T: Real>(probabilities: &[T], n_classes: usize, actual: &[u32]) -> Result<f64> {
    let rows = checks::rows(probabilities, n_classes, actual.len())?;
    let labels = actual.iter().map(|&label| checks::class(label, n_classes)).collect::<Result<Vec<usize>>>()?;
    let scores: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|&p| log(p)).collect()).collect();
    let loss = |log_temperature: f64| -> f64 {
        let scale = (-log_temperature).exp();
        let nll = |(row, &label): (&Vec<f64>, &usize)| {
            let most = row.iter().fold(f64::NEG_INFINITY, |most, &score| most.max(score));
            let sum: f64 = row.iter().map(|score| ((score - most) * scale).exp()).sum();
            sum.ln() - (row[label] - most) * scale
        };
        scores.iter().zip(&labels).map(nll).sum()
    };
    // A coarse search, since the loss need not be convex, and golden sections around its best point.
    const STEPS: usize = 40;
    let at = |i: usize| -RANGE + 2.0 * RANGE * i as f64 / STEPS as f64;
    let losses: Vec<f64> = (0..=STEPS).map(|i| loss(at(i))).collect();
    let best = (0..=STEPS).fold(STEPS / 2, |best, i| if losses[i] < losses[best] { i } else { best });
    let (mut low, mut high) = (at(best.saturating_sub(1)), at((best + 1).min(STEPS)));
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut loss_left, mut loss_right) = (loss(left), loss(right));
    while high - low > 1e-9 {
        if loss_left < loss_right {
            (high, right, loss_right) = (right, left, loss_left);
            left = high - golden * (high - low);
            loss_left = loss(left);
        } else {
            (low, left, loss_left) = (left, right, loss_right);
            right = low + golden * (high - low);
            loss_right = loss(right);
        }
    }
    Ok(((low + high) / 2.0).exp())
}

/// Probabilities at another temperature: each row of `n_classes` becomes `p^(1 / temperature)`, divided by its sum.
///
/// ```
/// let softer = tallow::metrics::at_temperature(&[0.9, 0.1], 2, 2.0)?; // √0.9 : √0.1 = 3 : 1
/// assert!((softer[0] - 0.75).abs() < 1e-12);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Config`] where the temperature is not above 0, [`Error::Shape`] where the probabilities are not a whole
/// number of rows.
pub fn at_temperature(probabilities: &[f64], n_classes: usize, temperature: f64) -> Result<Vec<f64>> {
    if !(temperature > 0.0 && temperature.is_finite()) {
        return Err(Error::config("temperature", format!("a temperature is a number above 0, not {temperature}")));
    }
    if n_classes == 0 || !probabilities.len().is_multiple_of(n_classes) {
        let n = probabilities.len();
        return Err(Error::shape(format!("{n} probabilities are not a whole number of rows of {n_classes}"), &[n]));
    }
    let mut all = Vec::with_capacity(probabilities.len());
    for row in probabilities.chunks_exact(n_classes) {
        let most = row.iter().fold(f64::NEG_INFINITY, |most, &p| most.max(log(p)));
        let powers: Vec<f64> = row.iter().map(|&p| ((log(p) - most) / temperature).exp()).collect();
        let sum: f64 = powers.iter().sum();
        all.extend(powers.into_iter().map(|power| power / sum));
    }
    Ok(all)
}

/// The logarithm of a probability; of 0, that of the smallest one.
fn log(p: f64) -> f64 {
    p.max(f64::MIN_POSITIVE).ln()
}
