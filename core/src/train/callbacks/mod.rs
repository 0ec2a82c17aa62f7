//! The callbacks that come with the library.

mod average;
mod best;
mod csv;
mod gradients;
mod mix;
mod monitor;
mod plateau;
mod stop;

pub use average::WeightAverage;
pub use best::SaveBest;
pub use csv::CsvLogger;
pub use gradients::{GradientAccumulation, GradientClip};
pub use mix::{CutMix, Mixup};
pub use monitor::Monitor;
pub use plateau::{PlateauConfig, ReduceLrOnPlateau};
pub use stop::{EarlyStopping, TerminateOnNaN};
