//! The words that a network knows.

use super::corpus::Corpus;
use super::special::{FAKE, SPECIAL, UNK, UNK_ID};
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The words that a network knows, by their number. fast.ai's `Numericalize`.
///
/// ```
/// use tallow::words::{TextVocab, Tokenizer, VocabSize};
///
/// let corpus = Tokenizer::default().corpus(&["good film", "bad film", "film"]);
/// let vocab = TextVocab::fit(&corpus, VocabSize { min_freq: 3, ..VocabSize::default() });
/// assert_eq!(vocab.decode(&vocab.encode(&corpus)[0]), ["xxbos", "xxunk", "film"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct TextVocab {
    tokens: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// Which tokens a vocabulary is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VocabSize {
    /// How often a token must occur; 3 by default.
    pub min_freq: usize,
    /// How many tokens there are at most, without those that fill it up; 60,000 by default.
    pub max_vocab: usize,
}

impl Default for VocabSize {
    fn default() -> VocabSize {
        VocabSize { min_freq: 3, max_vocab: 60_000 }
    }
}

impl TextVocab {
    /// The special tokens, then the most frequent tokens of a corpus; of those that are equally frequent the one that
    /// was met first. `xxfake` fills it up to a multiple of eight, or by eight where it is one already. fast.ai's
    /// `make_vocab`.
    pub fn fit(corpus: &Corpus, size: VocabSize) -> TextVocab {
        let mut counts = corpus.counts();
        counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let frequent = counts.into_iter().take(size.max_vocab).filter(|&(_, count)| count >= size.min_freq);
        let words = frequent.map(|(token, _)| token).filter(|token| !SPECIAL.contains(token));
        let mut tokens: Vec<String> = SPECIAL.into_iter().chain(words).take(size.max_vocab).map(String::from).collect();
        tokens.resize(tokens.len() / 8 * 8 + 8, FAKE.to_string());
        TextVocab::from(tokens)
    }

    /// Reads what [`TextVocab::save`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read, is no list of texts, does not begin with `xxunk`, or has a token twice.
    pub fn read(file: impl AsRef<Path>) -> Result<TextVocab> {
        let file = file.as_ref();
        let text = tallow_io::read::text(file, tallow_io::read::NOTES).map_err(Error::io(file))?;
        let tokens: Vec<String> = serde_json::from_str(&text)
            .map_err(|e| Error::file(file, format!("is not a vocabulary, which is a JSON list of words: {e}")))?;
        if tokens.first().is_none_or(|first| first != UNK) {
            let what =
                format!("is not a vocabulary of ours: its first word should be `{UNK}`, which stands for all others");
            return Err(Error::file(file, what));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = tokens.iter().find(|token| *token != FAKE && !seen.insert(*token)) {
            return Err(Error::file(file, format!("has the word `{twice}` twice; each word has one number")));
        }
        Ok(TextVocab::from(tokens))
    }

    /// Writes it as a JSON list of words. The file is whole or not there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<()> {
        let list =
            serde_json::to_vec(&self.tokens).map_err(|e| Error::Value(format!("a vocabulary is no JSON: {e}")))?;
        Ok(tallow_io::atomic::write(file.as_ref(), &list)?)
    }

    /// All tokens by their number.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The number of a token; none if it is not known. What fills the vocabulary up has none.
    pub fn find(&self, token: &str) -> Option<u32> {
        self.numbers.get(token).copied()
    }

    /// The number of a token; that of `xxunk`, 0, if it is not known.
    pub fn id(&self, token: &str) -> u32 {
        self.find(token).unwrap_or(UNK_ID)
    }

    /// The numbers of the tokens of one text.
    pub fn ids(&self, tokens: &[impl AsRef<str>]) -> Vec<u32> {
        tokens.iter().map(|token| self.id(token.as_ref())).collect()
    }

    /// The numbers of the tokens of each text.
    pub fn encode(&self, corpus: &Corpus) -> Vec<Vec<u32>> {
        corpus.numbered(|token| self.id(token))
    }

    /// The token of this number; `xxunk` if there is none.
    pub fn token(&self, id: u32) -> &str {
        self.tokens.get(id as usize).map_or(UNK, String::as_str)
    }

    /// The tokens of these numbers.
    pub fn decode(&self, ids: &[u32]) -> Vec<&str> {
        ids.iter().map(|&id| self.token(id)).collect()
    }
}

impl From<Vec<String>> for TextVocab {
    fn from(tokens: Vec<String>) -> TextVocab {
        let known = tokens.iter().enumerate().filter(|(_, token)| *token != FAKE);
        let numbers = known.map(|(id, token)| (token.clone(), id as u32)).collect();
        TextVocab { tokens, numbers }
    }
}

impl From<TextVocab> for Vec<String> {
    fn from(vocab: TextVocab) -> Vec<String> {
        vocab.tokens
    }
}
