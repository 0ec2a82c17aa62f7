//! The training loop: a [`Learner`] brings data, a network, a loss and an optimizer together.

mod callback;
mod checkpoint;
mod fit;
mod learner;
mod lr_find;
mod metric;
mod recorder;
mod weights;

pub use callback::{Callback, CallbackState, EarlyStopping, Monitor, SaveBest};
pub use checkpoint::Checkpoints;
pub use fit::Fit;
pub use learner::Learner;
pub use lr_find::{LrFind, LrFindConfig};
pub use metric::{Metric, accuracy, error_rate};
pub use recorder::{EpochRow, Recorder};
