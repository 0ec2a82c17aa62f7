//! The training loop: a [`Learner`] trains a network on data with a loss and an optimizer.
//!
//! ```
//! use tallow::candle::{Device, Tensor};
//! use tallow::data::{DataLoader, DataLoaders, TensorDataset};
//! use tallow::nn::{Params, linear, losses};
//! use tallow::optim::Sgd;
//! use tallow::rng::Rng;
//! use tallow::train::{Learner, mae};
//! # fn main() -> tallow::Result<()> {
//! let xs = Tensor::new(&[[1f32], [2.], [3.], [4.]], &Device::Cpu)?;
//! let ys = Tensor::new(&[[3f32], [5.], [7.], [9.]], &Device::Cpu)?; // 2·x + 1
//! let all = DataLoader::new(TensorDataset::new(&xs, &ys)?, 4)?;
//! let dls = DataLoaders { train: all.clone(), valid: all };
//!
//! let params = Params::new(&Rng::new(42), &Device::Cpu);
//! let model = linear(1, 1, &params)?;
//! for param in params.all() {
//!     param.var().set(&param.tensor().zeros_like()?)?;
//! }
//! let mut learner = Learner::new(dls, model, &params, losses::mse).opt(Sgd::new()).metrics([mae()]);
//! learner.fit(1, 0.1)?;
//! // One step of gradient descent in PyTorch: from mse 41 and w = b = 0 to w = 3.5 and b = 1.2
//! let row = &learner.recorder().rows[0];
//! assert!((params.get("weight")?.tensor().to_vec2::<f32>()?[0][0] - 3.5).abs() < 1e-5);
//! assert!((params.get("bias")?.tensor().to_vec1::<f32>()?[0] - 1.2).abs() < 1e-5);
//! assert!((row.train_loss - 41.0).abs() < 1e-4 && (row.valid_loss - 18.415).abs() < 1e-4);
//! assert!((row.metrics[0] - 3.95).abs() < 1e-4);
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: `learner` has the learner and its settings, `fit` its methods that train, `train_loop` the loop, and
//! `validate` validation and prediction. A [`Model`] is the network as the learner calls it, and [`Callback`]s change
//! the [`TrainState`]; the rest are files and records.

mod buckets;
mod callback;
mod callbacks;
mod checkpoint;
mod checkpoint_check;
mod distributed;
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
mod others;
mod position;
mod recorder;
mod resume;
mod settings;
mod state;
mod strict_json;
mod train_loop;
mod validate;
mod weights;

pub use callback::{Callback, CallbackState};
pub use callbacks::{
    CsvLogger, CutMix, EarlyStopping, GradientAccumulation, GradientClip, Mixup, Monitor, PlateauConfig,
    ReduceLrOnPlateau, SaveBest, TerminateOnNaN, WeightAverage,
};
pub use checkpoint::Checkpoints;
pub(crate) use features::cache_features_among;
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

pub(crate) use settings::{LearnerSettings, image_settings, learner_settings};
