//! Users and items in, ratings out: the learner for ratings, and what it exports.
//!
//! [`collab_learner`] brings loaders of ratings and a network of embeddings together; [`CollabLearner::export`] writes
//! the folder that [`load_collab`] reads back as a [`RatingPredictor`]. Beside the network stands the model of biases
//! alone ([`BiasModel`]): a network that is not better has learnt nothing of taste.

mod baseline;
mod config;
mod learner;
mod network;
mod onnx;
mod predictor;
mod ranking;
mod recipe;
mod scorer;

pub use baseline::BiasModel;
pub use config::CollabConfig;
pub use learner::{CollabLearner, collab_learner};
pub use predictor::{RatingPrediction, RatingPredictor, Recommended, load_collab, load_collab_on};
pub use ranking::Ranking;
