//! Pictures in, masks out: the learner for segmentation, and what it exports.
//!
//! [`unet_learner`] brings loaders of pictures with masks and a U-Net together; [`UnetLearner::export`] writes the
//! folder that [`load_segmenter`] reads back as a [`Segmenter`].

mod config;
mod enlarge;
mod learner;
mod network;
mod onnx;
mod prediction;
mod recipe;
mod segmenter;
mod whole;

pub use config::UnetConfig;
pub use learner::{UnetLearner, unet_learner};
pub use prediction::SegmentationPrediction;
pub use segmenter::{Segmenter, load_segmenter, load_segmenter_on};

pub use crate::models::Arch;
pub use crate::vision_learner::Pretrained;
