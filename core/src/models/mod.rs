//! Networks, with the parameter names of torchvision and fast.ai.
//!
//! [`Arch`] names all image classifiers and builds them. A [`Network`] is a [`Body`] that computes features, and a head
//! that classifies them.
//!
//! ```
//! use tallow::candle::{DType, Device, Tensor};
//! use tallow::models::Arch;
//! use tallow::nn::{Module, Params};
//! # fn main() -> tallow::Result<()> {
//! let params = Params::new(&tallow::rng::Rng::new(42), &Device::Cpu);
//! let arch: Arch = "SqueezeNet1_1".parse()?;
//! let network = arch.build(1000, &params)?;
//! assert_eq!(params.num_parameters(), 1_235_496); // torchvision's
//! assert_eq!(params.all()[0].name(), "features.0.weight");
//! let xs = Tensor::zeros((2, 3, 64, 64), DType::F32, &Device::Cpu)?;
//! assert_eq!(network.forward(&xs, false)?.dims(), [2, 1000]);
//! # Ok(())
//! # }
//! ```

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
