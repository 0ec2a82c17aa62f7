//! All that predictions tell in numbers, for tables and files.

use super::Interpretation;
use crate::error::Result;
use crate::metrics::{self, Averaging, Scores};
use tallow_io::csv;

/// How well one class is recognised: a row of scikit-learn's `classification_report`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScores {
    /// The class.
    pub class: String,
    /// Its precision, recall and F1.
    pub scores: Scores,
    /// The number of its items.
    pub support: u64,
}

impl Interpretation {
    /// Every metric of these predictions, by name: accuracy, balanced accuracy, precision, recall and F1 (means over
    /// the classes that occur or are predicted, as a learner's metrics), the log loss; and the area under the ROC
    /// curve, if every class has an item. Where a probability is not a number, what needs it is NaN.
    ///
    /// # Errors
    /// When there is no item.
    pub fn metrics(&self) -> Result<Vec<(&'static str, f64)>> {
        let (probabilities, n_classes, actual) = (self.all_probabilities(), self.vocab().len(), self.actual());
        let average = self.confusion().average(Averaging::MacroPresent);
        let mut all = vec![
            ("accuracy", self.confusion().accuracy()),
            ("balanced_accuracy", metrics::balanced_accuracy(self.predicted(), actual)?),
            ("precision", average.precision),
            ("recall", average.recall),
            ("f1_score", average.f1),
            ("log_loss", metrics::log_loss(probabilities, n_classes, actual).unwrap_or(f64::NAN)),
        ];
        if self.confusion().support().iter().all(|&n| n > 0) {
            let area = match n_classes {
                2 => metrics::roc_auc(&probabilities.iter().skip(1).step_by(2).copied().collect::<Vec<_>>(), actual),
                n => metrics::roc_auc_ovr(probabilities, n, actual),
            };
            all.push(("roc_auc", area.unwrap_or(f64::NAN)));
        }
        Ok(all)
    }

    /// Precision, recall, F1 and support of each class: the numbers of [`Interpretation::classification_report`].
    pub fn class_scores(&self) -> Vec<ClassScores> {
        let classes = self.vocab().iter().zip(self.confusion().per_class()).zip(self.confusion().support());
        classes.map(|((class, scores), support)| ClassScores { class: class.clone(), scores, support }).collect()
    }

    /// The predictions as the text of a CSV file, the largest loss first: `file,class,predicted,loss`, and a column for
    /// the probability of each class, headed by its name. Names that a spreadsheet would take for formulas are marked
    /// as text.
    ///
    /// # Errors
    /// When the items do not come from files ([`Interpretation::with_files`]).
    pub fn predictions_csv(&self) -> Result<String> {
        let name = |name: &str| csv::text(name).into_owned();
        let heads = ["file", "class", "predicted", "loss"].map(String::from).into_iter();
        let mut rows = vec![heads.chain(self.vocab().iter().map(|class| name(class))).collect::<Vec<_>>()];
        for item in self.top_losses(usize::MAX) {
            let first = [csv::path(item.known_file()?), name(&item.actual), name(&item.predicted)];
            let numbers = std::iter::once(&item.loss).chain(self.probabilities(item.index));
            rows.push(first.into_iter().chain(numbers.map(|number| format!("{number:.6}"))).collect());
        }
        Ok(csv::to_string(rows))
    }
}
