//! Images in, a classifier out: the learner for images, and what it exports.
//!
//! [`vision_learner`] brings loaders of images and a network of the zoo together; [`VisionLearner::export`] writes the
//! folder that [`load_learner`] reads back as a [`Predictor`].

mod config;
mod grad_cam;
mod learner;
mod network;
mod onnx;
mod predictor;
mod recipe;
mod similar;
mod strangers;
mod trust;

pub use config::{HeadKind, Pretrained, VisionConfig};
pub use grad_cam::GradCam;
pub use learner::{VisionLearner, vision_learner};
pub use predictor::{Prediction, Predictor, load_learner, load_learner_on, predictions_csv};
pub use similar::ImageIndex;

pub use crate::models::Arch;
