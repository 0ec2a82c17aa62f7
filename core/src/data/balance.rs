//! Classes of very different sizes, and what can be done about them.

use super::Vocab;
use crate::error::{Error, Result};

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

/// What looks wrong with classes of these numbers of items (to train with, to judge by), in sentences: a single class,
/// a class that is missing on one side, and classes of which the largest has ten times the items of the smallest.
pub fn warnings(vocab: &Vocab, counts: &[(usize, usize)]) -> Vec<String> {
    let mut warnings = Vec::new();
    if let [class] = vocab.classes() {
        warnings.push(format!(
            "there is a single class, `{class}`: nothing can be told apart; is `path` one folder too deep?"
        ));
    }
    for (class, &(train, valid)) in vocab.classes().iter().zip(counts) {
        if train == 0 {
            warnings.push(format!("class `{class}` has no item to train with: the network cannot learn it"));
        } else if valid == 0 {
            warnings.push(format!("class `{class}` has no item to judge by: nothing will tell how well it is learnt"));
        }
    }
    let by_count = || vocab.classes().iter().zip(counts).map(|(class, &(train, _))| (train, class));
    if let (Some((few, rare)), Some((many, common))) = (by_count().filter(|(n, _)| *n > 0).min(), by_count().max())
        && many >= 10 * few
    {
        warnings.push(format!(
            "classes are of very different sizes: `{common}` has {many} items to train with and `{rare}` has {few}; \
             `class_weights` can balance the loss, and accuracy alone says little"
        ));
    }
    warnings
}
