//! Metrics for regression.

use super::checks::{self, Real};
use crate::error::Result;

/// The mean squared error, `mean((predicted - actual)²)`. scikit-learn's `mean_squared_error`.
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

/// The root mean squared error, the square root of [`mse`], in the unit of the values. scikit-learn's
/// `root_mean_squared_error`.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) where the lengths differ or are 0.
pub fn rmse<T: Real>(predicted: &[T], actual: &[T]) -> Result<f64> {
    Ok(mse(predicted, actual)?.sqrt())
}

/// The mean absolute error, `mean(|predicted - actual|)`, in the unit of the values. scikit-learn's
/// `mean_absolute_error`.
///
/// ```
/// assert_eq!(tallow::metrics::mae(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0])?, 0.5);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) where the lengths differ or are 0.
pub fn mae<T: Real>(predicted: &[T], actual: &[T]) -> Result<f64> {
    mean(predicted, actual, f64::abs)
}

fn mean<T: Real>(predicted: &[T], actual: &[T], of: fn(f64) -> f64) -> Result<f64> {
    checks::same_length(predicted.len(), actual.len())?;
    let sum: f64 = predicted.iter().zip(actual).map(|(&p, &a)| of(p.into() - a.into())).sum();
    Ok(sum / actual.len() as f64)
}
