//! Networks, with torchvision's names for their parameters.
//!
//! [`Arch`] names them all and builds them: a [`Network`] is a [`Body`] that computes features and a head that
//! classifies them.

mod head;
pub mod hub;
pub mod weights;
pub mod zoo;

mod network;

pub mod alexnet;
pub mod awd_lstm;
pub mod bert;
pub mod convnext;
pub mod densenet;
pub mod efficientnet_lite;
mod embedded_numbers;
mod embedding_dot_bias;
mod embedding_nn;
pub mod inception;
pub mod mobilenet_v3;
pub mod resnet;
pub mod squeezenet;
pub mod tabular;
pub mod unet;
pub mod vgg;

mod summary;

pub use awd_lstm::{AwdLstmConfig, LanguageModel, TextClassifier};
pub use bert::{BertClassifier, BertConfig, BertModel};
pub use embedded_numbers::{EmbeddedNumbers, PeriodicConfig};
pub use embedding_dot_bias::EmbeddingDotBias;
pub use embedding_nn::EmbeddingNN;
pub use head::{Head, vision_head};
pub use network::{Body, FeaturesOf, HeadOf, Network, NetworkOptions, NetworkOutputs};
pub use summary::{Row, Summary, summary};
pub use tabular::{TabularModel, TabularModelConfig, embedding_width};
pub use unet::DynamicUnet;
pub use zoo::Arch;
