//! The training loop: a [`Learner`] brings data, a network, a loss and an optimizer together.
//!
//! Reading order: `learner` says what it is made of, `fits` what one can ask of it, `run` is the loop, `judge` predicts and
//! validates; [`Callback`]s take part; `vision` is all of
//! this for photos; the rest are files and records.

mod callback;
mod callbacks;
mod checkpoint;
pub mod export;
mod features;
mod fit;
mod fits;
mod judge;
mod learner;
mod lr_find;
mod metric;
mod recorder;
mod run;
mod vision;
mod weights;

pub use callback::{Callback, CallbackState};
pub use callbacks::{
    CsvLogger, CutMix, EarlyStopping, GradientAccumulation, GradientClip, Mixup, Monitor, PlateauConfig,
    ReduceLrOnPlateau, SaveBest, TerminateOnNaN, WeightAverage,
};
pub use checkpoint::Checkpoints;
pub use features::{cache_features, features};
pub use fit::Fit;
pub use fits::FineTune;
pub use learner::Learner;
pub use lr_find::{LrFind, LrFindConfig};
pub use metric::{Metric, accuracy, error_rate, f1_score, precision, recall, roc_auc, top_k_accuracy};
pub use recorder::{EpochRow, Recorder};
pub use vision::{
    HeadKind, Prediction, Predictor, VisionConfig, VisionLearner, load_learner, predictions_csv, preprocess,
    preprocess_of, vision_learner,
};
