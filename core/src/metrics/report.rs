//! The scores of all classes as a text.

use super::confusion::{Averaging, Confusion, Scores};
use crate::error::{Error, Result};

/// Precision, recall, F1 and support of each class, and their averages, as a text: character by character that of
/// scikit-learn's `classification_report(actual, predicted, target_names=names, digits=digits, zero_division=0)`.
///
/// ```
/// use tallow::metrics::{Confusion, classification_report};
/// let confusion = Confusion::new(2, &[0, 1, 1, 1], &[0, 0, 1, 1])?;
/// let report = classification_report(&confusion, &["ant", "bee"], 2)?;
/// assert_eq!(report.lines().nth(2), Some("         ant       1.00      0.50      0.67         2"));
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] where there is not one name for each class.
pub fn classification_report(confusion: &Confusion, names: &[impl AsRef<str>], digits: usize) -> Result<String> {
    if names.len() != confusion.n_classes() {
        let (n, classes) = (names.len(), confusion.n_classes());
        return Err(Error::shape(format!("{n} names for {classes} classes: expected one for each"), &[n]));
    }
    let longest = names.iter().map(|name| name.as_ref().chars().count()).max().unwrap_or(0);
    let width = longest.max("weighted avg".len()).max(digits);
    let row = |name: &str, scores: &Scores, support: u64| {
        let Scores { precision, recall, f1 } = scores;
        format!("{name:>width$}  {precision:>9.digits$} {recall:>9.digits$} {f1:>9.digits$} {support:>9}\n")
    };
    let mut text = format!("{:>width$}  {:>9} {:>9} {:>9} {:>9}\n\n", "", "precision", "recall", "f1-score", "support");
    for ((name, scores), support) in names.iter().zip(confusion.per_class()).zip(confusion.support()) {
        text += &row(name.as_ref(), &scores, support);
    }
    let (accuracy, total) = (confusion.accuracy(), confusion.total());
    text += &format!("\n{:>width$}  {:>9} {:>9} {accuracy:>9.digits$} {total:>9}\n", "accuracy", "", "");
    text += &row("macro avg", &confusion.average(Averaging::Macro), total);
    text += &row("weighted avg", &confusion.average(Averaging::Weighted), total);
    Ok(text)
}
