//! What one-vs-rest and one-vs-one share: a model of two classes or a constant, and which classes there are.

use super::checks;
use super::estimator::{Binary, Classifier, Estimator};
use super::matrix::Matrix;
use super::products::map;
use crate::error::{Error, Result};

/// A model of two classes, or, where all its samples were of one class, the constant that says so.
#[derive(Debug, Clone)]
pub(super) enum Part<M> {
    Model(M),
    /// Whether it was the second class.
    Constant(bool),
}

impl<M: Binary> Part<M> {
    /// Whether each row is of the second class.
    pub(super) fn is_second(&self, xs: &Matrix) -> Result<Vec<bool>> {
        match self {
            Part::Model(model) => Ok(model.predict(xs)?.into_iter().map(|class| class == 1).collect()),
            Part::Constant(second) => Ok(vec![*second; xs.rows()]),
        }
    }

    pub(super) fn model(&self) -> Option<&M> {
        match self {
            Part::Model(model) => Some(model),
            Part::Constant(_) => None,
        }
    }
}

/// The classes of a wrapper: those that were announced, or those that occur.
pub(super) fn classes(announced: Option<usize>, xs: &Matrix, ys: &[u32]) -> Result<Vec<u32>> {
    let Some(n) = announced else { return checks::several_classes(xs, ys) };
    checks::training(xs, ys)?;
    if n < 2 {
        return Err(Error::config("n_classes", format!("{n} classes: expected at least 2")));
    }
    if let Some((i, y)) = ys.iter().enumerate().find(|(_, y)| **y as usize >= n) {
        let message = format!("label {i} is class {y}, out of range for {n} classes (0 to n - 1)");
        return Err(Error::label(y, n, message));
    }
    Ok((0..n as u32).collect())
}

/// Fits to samples of which each is of the second class or not.
pub(super) fn fit<C: Estimator>(estimator: &C, xs: &Matrix, second: &[u32]) -> Result<Part<C::Model>> {
    match checks::classes(second)[..] {
        [only] => Ok(Part::Constant(only == 1)),
        // No samples at all: the first class, which is never asked to win.
        [] => Ok(Part::Constant(false)),
        _ => estimator.fit(xs, second).map(Part::Model),
    }
}

/// All parts, fitted in parallel; of several errors the first.
pub(super) fn fit_all<M: Send>(n: usize, fit: impl Fn(usize) -> Result<Part<M>> + Sync + Send) -> Result<Vec<Part<M>>> {
    map(n, fit).into_iter().collect()
}

/// One sentence for all parts that have something to say.
pub(super) fn warning<M: Binary>(parts: &[Part<M>]) -> Option<String> {
    let mut warnings = parts.iter().filter_map(Part::model).filter_map(Classifier::warning);
    let first = warnings.next()?;
    Some(format!("{} of {} models have a warning, the first: {first}", warnings.count() + 1, parts.len()))
}
