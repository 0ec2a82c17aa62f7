//! BERT (Devlin et al., 2019) under Hugging Face's names, and so the small encoders that are distilled from it, such as
//! `sentence-transformers/all-MiniLM-L6-v2`.

mod config;
mod embeddings;
mod layer;
mod model;

pub use config::BertConfig;
pub use model::BertModel;
