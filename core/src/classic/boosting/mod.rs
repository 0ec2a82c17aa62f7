//! Trees that correct one another.

mod bins;
mod gradient_boosting;
mod settings;
mod tree;

pub use gradient_boosting::{BoostedClassifier, BoostedRegressor};
pub use settings::GradientBoosting;
