//! ONNX: trained networks for other programs (`onnxruntime`, OpenVINO, browsers, phones).
//!
//! [`crate::vision_learner::Predictor::export_onnx`] and its like write a file that needs nothing of this library. The
//! network is traced: it runs once, and each operation becomes an operator of the file. Batch normalisation is folded
//! into its neighbours, weights are constants, and the number of samples in a batch is free. Before the file gets its
//! name it is read back and run, operator by operator, beside the network.

mod emit;
mod emit_text;
mod export;
mod file;
mod fold;
mod graph;
mod images;
mod proto;
mod run;

pub(crate) use export::{Finish, Sample, Work};
pub use export::{OnnxOptions, OnnxSummary, export};
pub(crate) use images::{image_notes, normalization, random_images, size_of_images};
