//! The layers, one struct each, with PyTorch's names and defaults.

mod activation;
mod conv;
mod conv_norm;
mod drop_path;
mod dropout;
mod embedding;
mod layer_norm;
mod linear;
mod lstm;
mod norm;
mod pool;
mod prepared;
mod shuffle;

pub use activation::Relu;
pub use conv::{Conv2d, Conv2dConfig, Padding};
pub use conv_norm::ConvNorm;
pub use drop_path::DropPath;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use layer_norm::LayerNorm;
pub use linear::{Linear, linear};
pub use lstm::{Lstm, LstmState};
pub use norm::BatchNorm;
pub use pool::{
    AdaptiveAvgPool2d, AdaptiveConcatPool2d, AdaptiveMaxPool2d, AvgPool2d, Flatten, GlobalAvgPool2d, MaxPool2d,
    PixelShuffle, Upsample,
};
pub(crate) use prepared::Prepared;
pub use shuffle::PixelShuffleIcnr;
