//! AWD-LSTM (Merity, Keskar and Socher, 2017) as in fast.ai: a language model, whose encoder becomes that of a text
//! classifier (Howard and Ruder, 2018).
//!
//! ```
//! use tallow::candle::{Device, Tensor};
//! use tallow::models::{AwdLstmConfig, LanguageModel};
//! use tallow::nn::{Module, Params};
//! # fn main() -> tallow::Result<()> {
//! let params = Params::new(&tallow::rng::Rng::new(42), &Device::Cpu);
//! let config = AwdLstmConfig::language_model().size(4, 6, 2);
//! let model = LanguageModel::new(10, &config, &params)?;
//! assert_eq!(params.num_parameters(), 530); // fast.ai's, with the decoder tied to the embedding
//! let words = Tensor::new(&[[2u32, 5, 9]], &Device::Cpu)?; // [N, T]
//! assert_eq!(model.forward(&words, false)?.dims(), [1, 3, 10]); // [N, T, V]
//! # Ok(())
//! # }
//! ```

mod classifier;
mod config;
mod encoder;
mod language_model;
mod outputs;
mod weights;

pub use classifier::{ClassifierOptions, TextClassifier};
pub use config::{AwdDropouts, AwdLstmConfig};
pub use encoder::{AwdLstm, AwdMasks, AwdState};
pub use language_model::LanguageModel;
pub use outputs::RnnOutputs;
pub use weights::{encoder_params, load_fastai, matched};
