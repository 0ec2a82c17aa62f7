//! Metrics: pure functions on slices, with scikit-learn's names, definitions and numbers.
//!
//! ```
//! use tallow::metrics::{Averaging, Confusion, accuracy, log_loss, roc_auc_ovr};
//! # fn main() -> tallow::Result<()> {
//! let actual = [0, 1, 2, 2, 0];
//! let predicted = [0, 1, 1, 2, 2];
//! assert_eq!(accuracy(&predicted, &actual)?, 0.6);
//! let confusion = Confusion::new(3, &predicted, &actual)?;
//! assert_eq!(confusion.rows(), [[1, 0, 1], [0, 1, 0], [0, 1, 1]]);
//! assert!((confusion.average(Averaging::Macro).f1 - 0.6111111111111112).abs() < 1e-12);
//! let probabilities = [0.7, 0.2, 0.1, 0.2, 0.5, 0.3, 0.1, 0.6, 0.3, 0.3, 0.3, 0.4, 0.2, 0.2, 0.6];
//! assert!((log_loss(&probabilities, 3, &actual)? - 0.9559047146265739).abs() < 1e-12);
//! assert!((roc_auc_ovr(&probabilities, 3, &actual)? - 0.6944444444444445).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```
//!
//! Predictions come first and the truth second. Class scores and probabilities are row-major, one row of `n_classes`
//! for each sample. Where a definition divides by zero, the result is 0 (scikit-learn's `zero_division=0`).

mod calibration;
mod checks;
mod classification;
mod confusion;
mod label_errors;
mod multi_label;
mod probability;
mod ranking;
mod regression;
mod report;
mod segmentation;

pub use calibration::{ReliabilityBin, at_temperature, expected_calibration_error, fit_temperature, reliability};
pub use checks::Real;
pub use classification::{accuracy, balanced_accuracy, error_rate, top_k_accuracy};
pub use confusion::{Averaging, Confused, Confusion, Scores};
pub use label_errors::{LabelError, label_errors};
pub use multi_label::{MultiLabelClass, MultiLabelReport, average_precision};
pub use probability::{log_loss, roc_auc, roc_auc_ovr};
pub use ranking::{hit_at, ndcg_at};
pub use regression::{mae, mse, rmse};
pub use report::classification_report;
pub use segmentation::{ClassCounts, PixelCounts};
