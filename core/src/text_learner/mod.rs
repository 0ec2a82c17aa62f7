//! The learners for texts: a language model, a classifier that may begin with the language model's encoder (ULMFiT:
//! Howard and Ruder, 2018), and one that begins with a published transformer. When that helps and when it harms, with
//! what was measured: `docs/language_models.md`.

mod classifier;
mod config;
mod encoder;
mod encoder_file;
mod language_model;
mod onnx;
mod piece_dataset;
mod predictor;
mod pretrained;
mod reading;
mod recipe;
mod rnn;
mod shared;
mod transformer;
mod writing;

pub use classifier::{TextClassifierLearner, text_classifier_learner};
pub use config::TextConfig;
pub use encoder::PublishedEncoder;
pub use language_model::{
    LanguageModelLearner, TextWriter, language_model_learner, load_language_model, load_language_model_on,
};
pub use predictor::{TextPrediction, TextPredictor, load_text_classifier, load_text_classifier_on};
pub use pretrained::PretrainedText;
pub use rnn::{ModelResetter, RnnRegularizer};
pub use transformer::{TransformerConfig, TransformerLearner, transformer_classifier_learner};
pub use writing::Writing;
