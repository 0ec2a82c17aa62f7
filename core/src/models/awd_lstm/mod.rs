//! AWD-LSTM (Merity, Keskar and Socher, 2017), in fast.ai's shape: a language model, whose encoder becomes that of a
//! classifier of texts (Howard and Ruder, 2018).

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
