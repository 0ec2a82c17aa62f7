//! Classes of very different sizes, and what can be done about them.

use super::Vocab;
use crate::error::{Error, Result};
use std::path::Path;
use tallow_io::csv;

/// Weights for a loss by which each class counts the same: `n / (n_classes * count)`. scikit-learn's
/// `class_weight="balanced"`. They fit [`crate::nn::losses::CrossEntropy::weights`].
///
/// # Errors
/// When a class has no item, or a label is not below `n_classes`.
pub fn class_weights(labels: &[u32], n_classes: usize) -> Result<Vec<f64>> {
    let mut counts = vec![0usize; n_classes];
    for &label in labels {
        let unknown = || {
            let message = format!("label {label} is not below the number of classes, {n_classes}");
            Error::label(label, n_classes, message)
        };
        *counts.get_mut(label as usize).ok_or_else(unknown)? += 1;
    }
    if let Some(empty) = counts.iter().position(|&count| count == 0) {
        let message = format!("class {empty} of {n_classes} has no item, so no weight can balance it");
        return Err(Error::label(empty, n_classes, message));
    }
    Ok(counts.iter().map(|&count| labels.len() as f64 / (n_classes * count) as f64).collect())
}

/// A weight for each item by which all classes are drawn equally often: those of [`class_weights`], item by item. They
/// fit [`super::ImageDataLoaders::weighted`] and [`super::DataLoader::weighted`].
///
/// # Errors
/// As [`class_weights`].
pub fn sample_weights(labels: &[u32], n_classes: usize) -> Result<Vec<f64>> {
    let weights = class_weights(labels, n_classes)?;
    Ok(labels.iter().map(|&label| weights[label as usize]).collect())
}

/// Beyond these the loss, which has 32 bits, is NaN.
const WEIGHTS: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

/// The weights of the classes from a CSV file with a row `class,weight` for each, in the order of `vocab`; a first row
/// of just these words is a heading.
///
/// # Errors
/// When the file cannot be read, a row is something else, a weight is not a number from 1e-30 to 1e30, or a class is
/// unknown, missing or there twice; each is named.
pub fn read_class_weights(file: impl AsRef<Path>, vocab: &Vocab) -> Result<Vec<f64>> {
    let file = file.as_ref();
    let mut weights: Vec<Option<f64>> = vec![None; vocab.n_classes()];
    let bad = |what: String| Error::file(file, what);
    for (n, (line, row)) in csv::read_with_lines(file)?.into_iter().enumerate() {
        let [class, weight] = row.as_slice() else {
            return Err(bad(format!("has a row of {} cells, `{}`; expected class,weight", row.len(), row.join(","))));
        };
        if n == 0 && class.eq_ignore_ascii_case("class") && weight.eq_ignore_ascii_case("weight") {
            continue;
        }
        let index = vocab.index(class).map_err(|e| bad(format!("gives a weight to an unknown class: {e}")))?;
        let number = weight.parse().ok().filter(|weight| WEIGHTS.contains(weight)).ok_or_else(|| {
            let (least, most) = (WEIGHTS.start(), WEIGHTS.end());
            bad(format!(
                "gives `{class}` the weight `{weight}` in line {line}; expected a number above 0, from {least:e} to \
                 {most:e}"
            ))
        })?;
        if weights[index as usize].replace(number).is_some() {
            return Err(bad(format!("gives `{class}` a weight twice; expected one row for each class")));
        }
    }
    let missing: Vec<&str> =
        vocab.classes().iter().zip(&weights).filter(|(_, w)| w.is_none()).map(|(class, _)| class.as_str()).collect();
    if !missing.is_empty() {
        return Err(bad(format!("has no weight for {}; add a row class,weight for each", missing.join(", "))));
    }
    Ok(weights.into_iter().flatten().collect())
}

/// What looks wrong with classes of these numbers of items (training, validation), in sentences: a single class,
/// a class that is missing on one side, and classes of which the largest has ten times the items of the smallest.
pub fn warnings(vocab: &Vocab, counts: &[(usize, usize)]) -> Vec<String> {
    let remedy = "class weights can balance the loss, a weighted sampler the draws (`tallow train --class-weights \
                  balanced`, `--sampler weighted`), and accuracy alone says little";
    warnings_with(vocab, counts, remedy)
}

/// [`warnings`], where something else can be done about classes of very different sizes.
pub(super) fn warnings_with(vocab: &Vocab, counts: &[(usize, usize)], remedy: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    if let [class] = vocab.classes() {
        warnings.push(format!(
            "there is a single class, `{class}`: nothing can be told apart; is the folder one too deep, or do names \
             or a table tell the classes?"
        ));
    }
    for (class, &(train, valid)) in vocab.classes().iter().zip(counts) {
        if train == 0 {
            warnings.push(format!("class `{class}` has no item to train with: the network cannot learn it"));
        } else if valid == 0 {
            warnings.push(format!(
                "class `{class}` has no item in the validation set: nothing will show how well it is learnt"
            ));
        }
    }
    let by_count = || vocab.classes().iter().zip(counts).map(|(class, &(train, _))| (train, class));
    if let (Some((few, rare)), Some((many, common))) = (by_count().filter(|(n, _)| *n > 0).min(), by_count().max())
        && many >= 10 * few
    {
        warnings.push(format!(
            "classes are of very different sizes: `{common}` has {many} items to train with and `{rare}` has {few}; \
             {remedy}"
        ));
    }
    warnings
}
