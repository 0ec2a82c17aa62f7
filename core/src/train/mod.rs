//! The training loop: a [`Learner`] brings data, a network, a loss and an optimizer together.
//!
//! Reading order: `learner` holds what a learner is made of, `fit` its methods that train, `train_loop` the loop,
//! `validate` predictions and validation. A [`Model`] is what a learner calls, [`Callback`]s take part through the
//! [`TrainState`]; the rest are files and records.

mod callback;
mod callbacks;
mod checkpoint;
pub mod export;
mod features;
mod fit;
mod learner;
mod loss;
mod lr_find;
mod lr_search;
mod mask_metrics;
mod metric;
mod model;
mod position;
mod recorder;
mod resume;
mod settings;
mod state;
mod train_loop;
mod validate;
mod weights;

pub use callback::{Callback, CallbackState};
pub use callbacks::{
    CsvLogger, CutMix, EarlyStopping, GradientAccumulation, GradientClip, Mixup, Monitor, PlateauConfig,
    ReduceLrOnPlateau, SaveBest, TerminateOnNaN, WeightAverage,
};
pub use checkpoint::Checkpoints;
pub use features::{cache_features, features};
pub use fit::FineTune;
pub use learner::Learner;
pub use lr_search::{LrFind, LrFindConfig};
pub use mask_metrics::{
    dice, dice_multi, foreground_accuracy, jaccard, jaccard_multi, of_pixels, pixel_accuracy, pixel_classes,
    pixel_counts,
};
pub use metric::{
    Metric, accuracy, accuracy_multi, balanced_accuracy, error_rate, f1_score, f1_score_multi, mae,
    mean_average_precision, perplexity, precision, recall, rmse, roc_auc, top_k_accuracy,
};
pub use model::Model;
pub use recorder::{EpochRow, Recorder};
pub use state::TrainState;

pub(crate) use settings::{LearnerSettings, learner_settings};
