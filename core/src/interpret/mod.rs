//! Interpretation of trained models: confusions, top losses, calibration, and the course of training.
//!
//! [`Interpretation`] evaluates predictions, the functions in `curves` plot the history in a
//! [`crate::train::Recorder`].
//!
//! ```
//! use tallow::candle::{Device, Tensor};
//! use tallow::interpret::Interpretation;
//! # fn main() -> tallow::Result<()> {
//! let scores = Tensor::new(&[[2f32, 1., 0.1], [0., 3., 0.], [0., 2., 1.]], &Device::Cpu)?;
//! let labels = Tensor::new(&[0u32, 1, 2], &Device::Cpu)?;
//! let interp = Interpretation::new(&scores, &labels, &["cat", "dog", "fox"])?;
//! assert_eq!(interp.confusion().rows(), [[1, 0, 0], [0, 1, 0], [0, 1, 0]]);
//! let confused = &interp.most_confused(1)[0];
//! assert_eq!((&confused.actual[..], &confused.predicted[..], confused.count), ("fox", "dog", 1));
//! let worst = &interp.top_losses(1)[0];
//! assert_eq!(worst.index, 2);
//! assert!((worst.loss - 1.4076059).abs() < 1e-6); // PyTorch's `F.cross_entropy(reduction="none")`
//! # Ok(())
//! # }
//! ```

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
