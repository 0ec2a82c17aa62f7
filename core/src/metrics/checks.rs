//! Checks of the arguments of metrics.

use crate::error::{Error, Result};

/// The types of scores and probabilities: `f32` and `f64`. All sums are computed in `f64`.
pub trait Real: Copy + Into<f64> + sealed::Sealed {
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
}

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// Checks that two slices have the same length, which is not 0.
pub(super) fn same_length(predicted: usize, actual: usize) -> Result<()> {
    if predicted != actual {
        return Err(Error::shape(
            format!("{predicted} predictions for {actual} labels: expected one for each"),
            &[predicted],
        ));
    }
    if actual == 0 {
        return Err(Error::shape("0 predictions for 0 labels: there is nothing to measure", &[0]));
    }
    Ok(())
}

/// A label as an index below `n_classes`.
pub(super) fn class(label: u32, n_classes: usize) -> Result<usize> {
    match usize::try_from(label) {
        Ok(index) if index < n_classes => Ok(index),
        _ => Err(Error::label(
            label,
            n_classes,
            format!("class {label} is out of range for {n_classes} classes (0 to n - 1)"),
        )),
    }
}

/// One row of scores for each label. NaN is an error, since it cannot be ordered.
pub(super) fn rows<T: Real>(scores: &[T], n_classes: usize, labels: usize) -> Result<Vec<Vec<f64>>> {
    if n_classes < 2 {
        return Err(Error::config("n_classes", format!("{n_classes} classes: expected at least 2")));
    }
    if scores.len() != n_classes * labels {
        let n = scores.len();
        return Err(Error::shape(
            format!("{n} scores for {labels} labels: expected {n_classes} scores for each"),
            &[n],
        ));
    }
    same_length(scores.len() / n_classes, labels)?;
    no_nan(scores)?;
    Ok(scores.chunks_exact(n_classes).map(|row| row.iter().map(|&score| score.into()).collect()).collect())
}

pub(super) fn no_nan<T: Real>(scores: &[T]) -> Result<()> {
    match scores.iter().position(|&score| score.into().is_nan()) {
        Some(i) => Err(Error::Value(format!("score {i} of {} is NaN", scores.len()))),
        None => Ok(()),
    }
}
