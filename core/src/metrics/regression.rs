//! Metrics of predicted numbers.

use super::checks::{self, Real};
use crate::error::Result;

/// The mean of the squared errors.
///
/// ```
/// assert_eq!(tallow::metrics::mse(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0])?, 0.375);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) where the lengths differ or are 0.
pub fn mse<T: Real>(predicted: &[T], actual: &[T]) -> Result<f64> {
    mean(predicted, actual, |error| error * error)
}

/// The root of the mean of the squared errors.
///
/// # Errors
/// As [`mse`].
pub fn rmse<T: Real>(predicted: &[T], actual: &[T]) -> Result<f64> {
    Ok(mse(predicted, actual)?.sqrt())
}

/// The mean of the absolute errors.
///
/// # Errors
/// As [`mse`].
pub fn mae<T: Real>(predicted: &[T], actual: &[T]) -> Result<f64> {
    mean(predicted, actual, f64::abs)
}

fn mean<T: Real>(predicted: &[T], actual: &[T], of: fn(f64) -> f64) -> Result<f64> {
    checks::same_length(predicted.len(), actual.len())?;
    let sum: f64 = predicted.iter().zip(actual).map(|(&p, &a)| of(p.into() - a.into())).sum();
    Ok(sum / actual.len() as f64)
}
