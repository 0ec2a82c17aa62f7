//! Published encoders: weights, sizes and a tokenizer.

use crate::error::{Error, Result};
use crate::event::Listener;
use crate::models::BertConfig;
use crate::models::hub::{self, HubConfig, HubFile, MINILM_FILES};
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
    /// When a file is not there or does not hold an encoder, or the files do not belong together.
    pub fn open(folder: impl AsRef<Path>) -> Result<PublishedEncoder> {
        let folder = folder.as_ref();
        let names = ["model.safetensors", "pytorch_model.bin"];
        let Some(weights) = names.iter().map(|name| folder.join(name)).find(|file| file.is_file()) else {
            let what = "holds no encoder: expected `model.safetensors`, `config.json` and `tokenizer.json`, such as \
                        those of sentence-transformers/all-MiniLM-L6-v2 (`cargo xtask fetch-data --only minilm`)";
            return Err(Error::file(folder, what));
        };
        PublishedEncoder::of(weights, &folder.join("config.json"), &folder.join("tokenizer.json"))
    }

    /// all-MiniLM-L6-v2: from `folder` if there is one, such as `minilm` in the data folder, where
    /// `cargo xtask fetch-data --only minilm` puts it; else from the Hub's cache, which Python's
    /// `sentence_transformers` shares; else from the Hub (91 MB).
    ///
    /// # Errors
    /// As [`PublishedEncoder::open`] and [`PublishedEncoder::fetch`].
    pub fn minilm(folder: impl AsRef<Path>, config: &HubConfig, listener: &Listener) -> Result<PublishedEncoder> {
        if folder.as_ref().is_dir() {
            return PublishedEncoder::open(folder);
        }
        PublishedEncoder::fetch(&MINILM_FILES, config, listener).map_err(|error| match error {
            Error::Hub { file, what, remedy } => {
                let remedy = format!("run `cargo xtask fetch-data --only minilm`, or {remedy}");
                Error::Hub { file, what, remedy }
            }
            other => other,
        })
    }

    /// The encoder whose weights, `config.json` and `tokenizer.json` are these files of the Hub. Those that are in the
    /// Hub's cache are used without a network.
    ///
    /// # Errors
    /// [`Error::Hub`] when a file is not on this machine and cannot be fetched, or is not what it should be; otherwise
    /// as [`PublishedEncoder::open`].
    pub fn fetch(files: &[HubFile; 3], config: &HubConfig, listener: &Listener) -> Result<PublishedEncoder> {
        let [weights, sizes, tokenizer] = files;
        // The small ones first: who cannot have them need not wait for the weights.
        let sizes = hub::fetch(sizes, config, listener)?;
        let tokenizer = hub::fetch(tokenizer, config, listener)?;
        PublishedEncoder::of(hub::fetch(weights, config, listener)?, &sizes, &tokenizer)
    }

    /// The encoder that these files describe together.
    fn of(weights: PathBuf, sizes: &Path, tokenizer: &Path) -> Result<PublishedEncoder> {
        let config = BertConfig::read(sizes)?;
        let pieces = WordPiece::open(tokenizer)?;
        let words = pieces.vocab_size();
        if words > config.vocab_size {
            let what = format!("this tokenizer knows {words} pieces, the network beside it {}", config.vocab_size);
            return Err(Error::file(tokenizer, what));
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
