//! From a text to the numbers that a network sees.

use crate::words::{BOS_ID, FLD, TextVocab, Tokenizer};
use rayon::prelude::*;

/// How a text becomes the numbers that a network sees: all that an exported model needs to read new ones. fast.ai's
/// `TextBlock`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextProcs {
    /// How it becomes tokens.
    pub tokenizer: Tokenizer,
    /// The tokens by their numbers.
    pub vocab: TextVocab,
    /// The length of the chunks in which a network goes through it.
    pub seq_len: usize,
    /// Whether the network reads from the end to the beginning.
    pub backwards: bool,
    /// How many tokens of a text are read, the last ones on the network's way; all if `None`.
    #[serde(default)]
    pub max_tokens: Option<usize>,
}

impl TextProcs {
    /// The numbers of a text. A text without any words is its beginning alone, as in fast.ai.
    pub fn ids(&self, text: &str) -> Vec<u32> {
        let mut ids = self.vocab.ids(&self.tokenizer.tokens(text));
        self.prepare(&mut ids);
        ids
    }

    /// The numbers of many texts, on all processors.
    pub fn ids_of<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Vec<Vec<u32>> {
        texts.par_iter().map(|text| self.ids(text.as_ref())).collect()
    }

    /// The tokens of these numbers, from the text's beginning to its end whichever way the network reads it.
    pub fn tokens(&self, ids: &[u32]) -> Vec<&str> {
        let mut tokens = self.vocab.decode(ids);
        if self.backwards {
            tokens.reverse();
        }
        tokens
    }

    /// Those of a text's tokens that are read ([`TextProcs::max_tokens`]).
    pub fn read_part<'a, T>(&self, tokens: &'a [T]) -> &'a [T] {
        match self.max_tokens.map(|max| tokens.len().saturating_sub(max.max(1))) {
            None => tokens,
            Some(unread) if self.backwards => &tokens[..tokens.len() - unread],
            Some(unread) => &tokens[unread..],
        }
    }

    /// What [`TextProcs::ids`] does with the numbers of a text's tokens: puts them into the order in which the network
    /// reads them, and leaves out what it does not read. Without any, the text is its beginning.
    pub fn prepare(&self, ids: &mut Vec<u32>) {
        if ids.is_empty() {
            ids.push(BOS_ID);
        }
        if self.backwards {
            ids.reverse();
        }
        if let Some(max) = self.max_tokens {
            // They are read last, whichever way.
            ids.drain(..ids.len().saturating_sub(max.max(1)));
        }
    }

    /// Several fields of an item as one text, each with a mark and its number before it. fast.ai's `mark_fields`.
    ///
    /// ```
    /// assert_eq!(tallow::data::TextProcs::joined(&["Title", "Text."]), "xxfld 1 Title xxfld 2 Text.");
    /// assert_eq!(tallow::data::TextProcs::joined(&["Text."]), "Text.");
    /// ```
    pub fn joined(fields: &[impl AsRef<str>]) -> String {
        match fields {
            [one] => one.as_ref().to_string(),
            _ => {
                let marked = |(i, field): (usize, &_)| format!("{FLD} {} {}", i + 1, AsRef::<str>::as_ref(field));
                fields.iter().enumerate().map(marked).collect::<Vec<String>>().join(" ")
            }
        }
    }
}
