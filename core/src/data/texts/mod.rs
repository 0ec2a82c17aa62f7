//! Texts: from files to batches of numbers, for classifiers and for language models.

mod block;
mod copies;
mod dataset;
mod loaders;
mod padding;
mod procs;
mod source;
mod stream;
mod stream_loaders;
mod warnings;

pub use block::TextBlock;
pub use dataset::TextDataset;
pub use loaders::{TextDataLoaders, TextLoader};
pub use padding::pad_chunks;
pub use procs::TextProcs;
pub use stream::StreamDataset;
pub use stream_loaders::{LanguageModelDataLoaders, LanguageModelLoader};
