//! Published encoders: weights, sizes and a tokenizer.

use crate::error::{Error, Result};
use crate::models::BertConfig;
use crate::models::weights::Weights;
use crate::words::WordPiece;
use std::path::{Path, PathBuf};

/// A pretrained encoder of texts in a folder, as Hugging Face publishes BERT and its relatives: `config.json`,
/// `tokenizer.json`, and `model.safetensors` or `pytorch_model.bin`. `cargo xtask fetch-data --only minilm` gets
/// `sentence-transformers/all-MiniLM-L6-v2`, six layers of 384 numbers in 91 MB.
#[derive(Debug, Clone)]
pub struct PublishedEncoder {
    config: BertConfig,
    pieces: WordPiece,
    weights: PathBuf,
}

impl PublishedEncoder {
    /// The encoder in a folder.
    ///
    /// # Errors
    /// When a file is not there, is none of an encoder, or the files do not belong together.
    pub fn open(folder: impl AsRef<Path>) -> Result<PublishedEncoder> {
        let folder = folder.as_ref();
        let names = ["model.safetensors", "pytorch_model.bin"];
        let Some(weights) = names.iter().map(|name| folder.join(name)).find(|file| file.is_file()) else {
            let what = "holds no encoder: expected `model.safetensors`, `config.json` and `tokenizer.json`, such as \
                        those of sentence-transformers/all-MiniLM-L6-v2 (`cargo xtask fetch-data --only minilm`)";
            return Err(Error::file(folder, what));
        };
        let config = BertConfig::read(folder.join("config.json"))?;
        let pieces = WordPiece::open(folder.join("tokenizer.json"))?;
        let words = pieces.vocab_size();
        if words > config.vocab_size {
            let what = format!("its tokenizer knows {words} pieces, its network {}", config.vocab_size);
            return Err(Error::file(folder, what));
        }
        // Before a network of that size is made.
        let table = Weights::open(&weights)?;
        let name = "embeddings.word_embeddings.weight";
        let found = table.shape(name).or_else(|| table.shape(&format!("bert.{name}")));
        if found != Some(&[config.vocab_size, config.hidden_size][..]) {
            let what = format!(
                "its table of pieces, `{name}`, has the shape {found:?}, where config.json says [{}, {}]",
                config.vocab_size, config.hidden_size
            );
            return Err(Error::file(weights, what));
        }
        Ok(PublishedEncoder { config, pieces, weights })
    }

    /// Sizes and dropouts of the network.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// How texts become pieces.
    pub fn pieces(&self) -> &WordPiece {
        &self.pieces
    }

    /// The file of the weights.
    pub fn weights(&self) -> &Path {
        &self.weights
    }
}
