//! Cross-validation.

use super::checks;
use super::estimator::{Classifier, Estimator};
use super::matrix::Matrix;
use super::products::map;
use super::split::select;
use crate::error::{Error, Result};

/// The accuracy on each of `folds` parts of a model that was fitted on the others, in parallel. scikit-learn's
/// `cross_val_score` with [`stratified_folds`].
///
/// # Errors
/// [`Error::Config`] where there are fewer than two folds, or a class has fewer samples than there are folds; the
/// errors of fitting and scoring.
pub fn cross_val_score<C: Estimator>(estimator: &C, xs: &Matrix, ys: &[u32], folds: usize) -> Result<Vec<f64>> {
    checks::same_length(xs, ys)?;
    let fold_of = stratified_folds(ys, folds)?;
    let score = |fold: usize| -> Result<f64> {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..ys.len()).partition(|&i| fold_of[i] == fold);
        let (train, test) = (select(xs, ys, &train)?, select(xs, ys, &test)?);
        estimator.fit(&train.xs, &train.ys)?.score(&test.xs, &test.ys)
    };
    map(folds, score).into_iter().collect()
}

/// The fold, from 0, in which each sample is tested; each fold has its share of each class. scikit-learn's
/// `StratifiedKFold` without shuffling.
///
/// # Errors
/// [`Error::Config`] where there are fewer than two folds, or a class has fewer samples than there are folds.
/// (scikit-learn only warns as long as one class has enough.) [`Error::Shape`] where there are no labels.
pub fn stratified_folds(ys: &[u32], folds: usize) -> Result<Vec<usize>> {
    if folds < 2 {
        return Err(Error::config("folds", format!("{folds} folds: expected at least 2")));
    }
    // Classes in order of appearance, as there.
    let mut classes: Vec<u32> = Vec::new();
    let place = |classes: &[u32], y: u32| classes.iter().position(|class| *class == y);
    let mut places = Vec::with_capacity(ys.len());
    for &y in ys {
        places.push(place(&classes, y).unwrap_or(classes.len()));
        if places.last() == Some(&classes.len()) {
            classes.push(y);
        }
    }
    let count = |class: usize| places.iter().filter(|&&place| place == class).count();
    if let Some(class) = (0..classes.len()).find(|&class| count(class) < folds) {
        let (class, n) = (classes[class], count(class));
        let message = format!("class {class} has {n} samples: {folds} folds need at least {folds} of each");
        return Err(Error::config("folds", message));
    }
    if ys.is_empty() {
        return Err(Error::shape("0 samples: there is nothing to fit to", &[0]));
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    // The sorted samples are dealt round; how many of a class a fold was dealt is how many of that class, one after the
    // other, test in it.
    let dealt = |fold: usize, class: usize| sorted.iter().skip(fold).step_by(folds).filter(|&&c| c == class).count();
    let mut fold_of = vec![0; ys.len()];
    for class in 0..classes.len() {
        let members = (0..ys.len()).filter(|&i| places[i] == class);
        let order = (0..folds).flat_map(|fold| std::iter::repeat_n(fold, dealt(fold, class)));
        members.zip(order).for_each(|(member, fold)| fold_of[member] = fold);
    }
    Ok(fold_of)
}
