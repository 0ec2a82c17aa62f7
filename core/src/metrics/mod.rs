//! How good predictions are: pure functions on slices, with scikit-learn's names, definitions and numbers.
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
