//! Published language models: weights and words in files of fast.ai's.

use crate::error::{Error, Result};
use crate::models::weights::pickled_texts;
use crate::words::{TextVocab, UNK};
use std::path::{Path, PathBuf};

/// A language model in files, with which a learner begins: `wt103_fwd` and `wt103_bwd` of `cargo xtask fetch-data`,
/// which fast.ai trained on WikiText-103 in its own size (400, 1152 and 3), or one that was saved with fast.ai.
///
/// ```no_run
/// use tallow::data::TextBlock;
/// use tallow::text_learner::{PretrainedText, TextConfig, text_classifier_learner};
///
/// # fn main() -> tallow::Result<()> {
/// let dls = TextBlock::csv("reviews.csv").text("text").target("label").dataloaders(64)?;
/// let mut learner = text_classifier_learner(&dls, TextConfig::default())?;
/// learner.load_pretrained(&PretrainedText::open("datasets/downloads/wt103_fwd")?)?;
/// learner.fit_gradually(3, 1e-2)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PretrainedText {
    weights: PathBuf,
    words: TextVocab,
}

impl PretrainedText {
    /// Weights, `.pth` or safetensors, and the words by their numbers.
    pub fn new(weights: impl AsRef<Path>, words: TextVocab) -> PretrainedText {
        PretrainedText { weights: weights.as_ref().to_path_buf(), words }
    }

    /// The one `.pth` file of a folder and the one `.pkl` file beside it, which lists the words. Both are read without
    /// running what is in them.
    ///
    /// # Errors
    /// When the folder does not hold just one file of each kind, or the list is not a list of words.
    pub fn open(folder: impl AsRef<Path>) -> Result<PretrainedText> {
        let folder = folder.as_ref();
        let words = only(folder, "pkl", "the list of words")?;
        let vocab = TextVocab::from(pickled_texts(&words)?);
        if vocab.tokens().first().is_none_or(|first| first != UNK) {
            let what = format!("is no vocabulary of fast.ai's: its first word should be `{UNK}`, for all others");
            return Err(Error::file(words, what));
        }
        Ok(PretrainedText { weights: only(folder, "pth", "the weights")?, words: vocab })
    }

    /// The file of the weights.
    pub fn weights(&self) -> &Path {
        &self.weights
    }

    /// The words.
    pub fn words(&self) -> &TextVocab {
        &self.words
    }
}

/// The only file of a folder whose name ends so.
fn only(folder: &Path, extension: &str, what: &str) -> Result<PathBuf> {
    let remedy = "a published language model is a .pth and a .pkl file; `cargo xtask fetch-data --only wt103_fwd` \
                  fetches one";
    if !folder.is_dir() {
        return Err(Error::file(folder, format!("is not there, or no folder: {remedy}")));
    }
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let files = entries.map_err(Error::io(folder))?.into_iter().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|e| e == extension)).collect();
    match (files.pop(), files.len()) {
        (Some(file), 0) => Ok(file),
        (None, _) => Err(Error::file(folder, format!("holds no .{extension} file, {what}: {remedy}"))),
        (Some(_), n) => Err(Error::file(folder, format!("holds {} .{extension} files; expected one, {what}", n + 1))),
    }
}
