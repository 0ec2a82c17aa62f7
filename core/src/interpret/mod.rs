//! What a network does well and what it does not: its confusions, its worst mistakes, and how its training went.
//!
//! [`Interpretation`] looks at predictions, the functions in `curves` at what a [`crate::train::Recorder`] wrote down.

mod calibration;
mod curves;
mod importance;
mod interpretation;
mod judgement;
mod masks;
mod multi_label;
mod occlusion;
mod ratings;
mod segmentation;
mod show;
mod table_baselines;
mod text_baselines;
mod vectors;

pub use calibration::Calibration;
pub use curves::{plot_losses, plot_lr_find, plot_metrics, plot_schedule};
pub use importance::{ColumnImportance, Importance};
pub use interpretation::{ClassAccuracy, Interpretation, MostConfused, TopLoss};
pub use judgement::ClassScores;
pub use masks::{MaskResult, show_masks};
pub use multi_label::MultiLabelInterpretation;
pub use occlusion::{DecisiveWord, OccludedWord, Occlusion, decisive_words};
pub use ratings::{plot_biased_items, plot_items};
pub use segmentation::{ClassOverlap, PictureResult, SegmentationInterpretation, show_results};
pub use show::{show_augmented, show_augmented_mask, show_batch, table_figure};
pub use table_baselines::{TableBaseline, table_baselines};
pub use text_baselines::{TextBaseline, text_baselines};
pub use vectors::plot_vectors;
