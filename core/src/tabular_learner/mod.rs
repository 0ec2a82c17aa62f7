//! Rows of a table in, a class or numbers out: the learner for tables, and what it exports.
//!
//! [`tabular_learner`] makes a learner of [`crate::data::TabularDataLoaders`]; [`TabularLearner::export`] writes the
//! folder that [`load_tabular`] reads back as a [`TabularPredictor`].

mod config;
mod learner;
mod network;
mod onnx;
mod predictor;
mod recipe;

pub use config::TabularConfig;
pub use learner::{CategoryVectors, TabularLearner, tabular_learner};
pub use predictor::{Outcome, TablePrediction, TabularPredictor, load_tabular, load_tabular_on};

pub use crate::models::PeriodicConfig;
