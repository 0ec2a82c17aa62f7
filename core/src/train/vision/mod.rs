//! Photos in, a classifier out: the learner for pictures, and what is left of it when it is trained.
//!
//! [`vision_learner`] brings loaders of pictures and a network of the zoo together; [`VisionLearner::export`] writes what
//! [`load_learner`] reads, and that is a [`Predictor`].

mod learner;
mod network;
mod predictor;

pub use learner::{VisionLearner, vision_learner};
pub use network::{HeadKind, VisionConfig, preprocess, preprocess_of};
pub use predictor::{Prediction, Predictor, load_learner, predictions_csv};
