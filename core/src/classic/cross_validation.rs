//! Cross-validation.

use super::checks;
use super::estimator::{Classifier, Estimator, Probabilities};
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

/// The probabilities of each class for each sample, by a model that was fitted on the other folds, in parallel.
/// scikit-learn's `cross_val_predict(method="predict_proba")`.
///
/// # Shapes
/// - xs: `[n, features]`; ys: `[n]`, from 0 on without a gap; fold_of: `[n]`, for instance of [`stratified_folds`]
/// - result: `[n, classes]`
///
/// # Errors
/// [`Error::Shape`] where lengths differ; [`Error::Config`] where all samples of a class are in one fold, so that the
/// model for that fold would not know the class; the errors of fitting.
pub fn cross_val_predict_proba<C>(estimator: &C, xs: &Matrix, ys: &[u32], fold_of: &[usize]) -> Result<Matrix>
where
    C: Estimator<Model: Probabilities>,
{
    checks::same_length(xs, ys)?;
    if fold_of.len() != ys.len() {
        return Err(Error::shape(format!("{} folds for {} samples", fold_of.len(), ys.len()), &[fold_of.len()]));
    }
    let folds = fold_of.iter().max().map_or(0, |last| last + 1);
    let n_classes = ys.iter().max().map_or(0, |last| *last as usize + 1);
    let predicted = |fold: usize| -> Result<(Vec<usize>, Matrix)> {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..ys.len()).partition(|&i| fold_of[i] == fold);
        let train = select(xs, ys, &train)?;
        let model = estimator.fit(&train.xs, &train.ys)?;
        if model.classes().len() != n_classes {
            let known = model.classes();
            let message =
                format!("the samples outside of fold {fold} are of the classes {known:?}, not of {n_classes}");
            return Err(Error::config("folds", message));
        }
        let probabilities = model.probabilities(&xs.select(&test)?)?;
        Ok((test, probabilities))
    };
    let mut all = vec![0.0; ys.len() * n_classes];
    for of_fold in map(folds, |fold| if fold_of.contains(&fold) { predicted(fold).map(Some) } else { Ok(None) }) {
        let Some((test, probabilities)) = of_fold? else { continue };
        for (i, row) in test.into_iter().zip(probabilities.iter()) {
            all[i * n_classes..(i + 1) * n_classes].copy_from_slice(row);
        }
    }
    Matrix::new(ys.len(), n_classes, all)
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
