//! The scores of all classes as a table of text.

use super::confusion::{Averaging, Confusion, Scores};
use crate::error::{Error, Result};

impl Confusion {
    /// Precision, recall, F1 and number of samples of each class and of all, as text: scikit-learn's
    /// `classification_report(actual, predicted, target_names=names, zero_division=0)`, to the letter.
    ///
    /// ```
    /// use tallow::metrics::Confusion;
    /// let report = Confusion::new(2, &[0, 1, 1, 1], &[0, 0, 1, 1])?.report(&["cat", "dog"])?;
    /// assert!(report.contains("\n         cat       1.00      0.50      0.67         2\n"));
    /// # Ok::<(), tallow::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] where there is not one name for each class.
    pub fn report(&self, names: &[impl AsRef<str>]) -> Result<String> {
        let n = self.n_classes();
        if names.len() != n {
            return Err(Error::Value(format!("{} names for {n} classes: expected one for each", names.len())));
        }
        let longest = names.iter().map(|name| name.as_ref().chars().count()).max().unwrap_or(0);
        let width = longest.max("weighted avg".len());
        let line = |name: &str, scores: Scores, support: u64| {
            let Scores { precision, recall, f1 } = scores;
            format!("{name:>width$} {precision:>10.2}{recall:>10.2}{f1:>10.2}{support:>10}\n")
        };
        let per_class = names.iter().zip(self.per_class()).zip(self.support());
        let classes: String = per_class.map(|((name, scores), n)| line(name.as_ref(), scores, n)).collect();
        let total = self.total();
        Ok([
            format!("{:width$}  precision    recall  f1-score   support\n\n", ""),
            classes,
            format!("\n{:>width$} {:>30.2}{total:>10}\n", "accuracy", self.accuracy()),
            line("macro avg", self.average(Averaging::Macro), total),
            line("weighted avg", self.average(Averaging::Weighted), total),
        ]
        .concat())
    }
}
