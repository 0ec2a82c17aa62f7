//! Checks of the data and settings of all models.

use super::estimator::Classifier;
use super::matrix::Matrix;
use crate::error::{Error, Result};

/// The classes of sound training data, ascending.
pub(super) fn training(xs: &Matrix, ys: &[u32]) -> Result<Vec<u32>> {
    some_labels(xs.rows(), xs.columns(), ys)?;
    finite(xs)?;
    Ok(classes(ys))
}

fn some_labels(rows: usize, columns: usize, ys: &[u32]) -> Result<()> {
    one_label_each(rows, ys)?;
    if ys.is_empty() {
        return Err(Error::shape("0 samples: there is nothing to fit to", &[0, columns]));
    }
    Ok(())
}

/// The classes of this many rows, ascending, of which there must be two at least.
pub(super) fn several_labels(rows: usize, columns: usize, ys: &[u32]) -> Result<Vec<u32>> {
    some_labels(rows, columns, ys)?;
    several(classes(ys), ys)
}

fn several(classes: Vec<u32>, ys: &[u32]) -> Result<Vec<u32>> {
    if let [one] = classes[..] {
        let n = ys.len();
        return Err(Error::Value(format!("all {n} labels are class {one}: a classifier needs samples of two classes")));
    }
    Ok(classes)
}

/// The classes of sound training data, ascending, of which there must be two at least.
pub(super) fn several_classes(xs: &Matrix, ys: &[u32]) -> Result<Vec<u32>> {
    several(training(xs, ys)?, ys)
}

/// The two classes of sound training data; and for each sample whether it is of the second.
pub(super) fn two_classes(what: &str, xs: &Matrix, ys: &[u32]) -> Result<(Vec<u32>, Vec<bool>)> {
    let classes = several_classes(xs, ys)?;
    if classes.len() > 2 {
        let n = classes.len();
        let remedy = "put it into OneVsRest or OneVsOne";
        return Err(Error::Value(format!("{what} tells two classes, and there are {n}: {remedy}")));
    }
    let second = ys.iter().map(|y| *y == classes[1]).collect();
    Ok((classes, second))
}

/// The distinct labels, ascending.
pub(super) fn classes(ys: &[u32]) -> Vec<u32> {
    let mut classes = ys.to_vec();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// The place of each label among the classes.
pub(super) fn places(classes: &[u32], ys: &[u32]) -> Vec<usize> {
    ys.iter().map(|y| classes.binary_search(y).unwrap_or(0)).collect()
}

/// Fails where a model cannot predict these rows.
pub(super) fn rows_for(model: &impl Classifier, xs: &Matrix) -> Result<()> {
    width(model.n_features(), xs)?;
    finite(xs)
}

pub(super) fn width(fitted: usize, xs: &Matrix) -> Result<()> {
    columns(fitted, xs.rows(), xs.columns())
}

/// Fails where rows have another width than the model was fitted to.
pub(super) fn columns(fitted: usize, rows: usize, n: usize) -> Result<()> {
    if n != fitted {
        let message = format!("rows of {n} features for a model that was fitted to {fitted}");
        return Err(Error::shape(message, &[rows, n]));
    }
    Ok(())
}

pub(super) fn same_length(xs: &Matrix, ys: &[u32]) -> Result<()> {
    one_label_each(xs.rows(), ys)
}

fn one_label_each(rows: usize, ys: &[u32]) -> Result<()> {
    if rows != ys.len() {
        let message = format!("{rows} rows and {} labels: expected one label for each row", ys.len());
        return Err(Error::shape(message, &[ys.len()]));
    }
    Ok(())
}

pub(super) fn finite(xs: &Matrix) -> Result<()> {
    let Some(at) = xs.values().iter().position(|v| !v.is_finite()) else { return Ok(()) };
    let (row, column, value) = (at / xs.columns(), at % xs.columns(), xs.values()[at]);
    Err(Error::Value(format!("row {row}, column {column} is {value}: remove or replace values that are not finite")))
}

/// Fails where a model does not have two classes, since only one of two has a single confidence.
pub(super) fn has_two_classes(model: &impl Classifier) -> Result<()> {
    match model.classes().len() {
        2 => Ok(()),
        n => Err(Error::Value(format!("the model has {n} classes: only one of two has a single confidence"))),
    }
}

pub(super) fn positive(setting: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::config(setting, format!("{setting} must be a positive number, got {value}")))
}
