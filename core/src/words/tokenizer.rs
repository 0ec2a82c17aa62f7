//! From texts to tokens: fast.ai's rules, then words.

use super::corpus::Corpus;
use super::english::english_tokens;
use super::rules::Rule;
use rayon::prelude::*;

/// Makes tokens of texts: rules first, then words. fast.ai's `TokenizeWithRules` of a `WordTokenizer`.
///
/// ```
/// use tallow::words::Tokenizer;
///
/// let tokens = Tokenizer::default().tokens("I LOVED it!!! Didn't you?");
/// let expected = "xxbos i xxup loved it xxrep 3 ! xxmaj did n't you ?";
/// assert_eq!(tokens.join(" "), expected);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenizer {
    /// The rules, in the order in which they are applied.
    pub rules: Vec<Rule>,
    /// How words are told apart.
    pub split: WordSplit,
}

/// How words are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordSplit {
    /// As in English ([`english_tokens`]). fast.ai's `SpacyTokenizer`.
    English,
    /// At each space. For texts whose tokens were made elsewhere. fast.ai's `BaseTokenizer`.
    Spaces,
}

impl Default for Tokenizer {
    /// fast.ai's rules and English words.
    fn default() -> Tokenizer {
        Tokenizer { rules: Rule::ALL.to_vec(), split: WordSplit::English }
    }
}

impl Tokenizer {
    /// No rules, and tokens that stand between spaces already.
    pub fn spaces() -> Tokenizer {
        Tokenizer { rules: Vec::new(), split: WordSplit::Spaces }
    }

    /// The tokens of one text. Spaces inside of a token, of which there are some among several in a row, become `▁`, so
    /// that tokens can be joined by spaces and told apart again (fast.ai's `replace_space`).
    pub fn tokens(&self, text: &str) -> Vec<String> {
        let mut text = text.to_string();
        for rule in &self.rules {
            text = rule.apply(&text);
        }
        let own = |token: &str| token.replace(' ', "▁");
        match self.split {
            WordSplit::English => english_tokens(&text).into_iter().map(own).collect(),
            WordSplit::Spaces => text.split(' ').map(own).collect(),
        }
    }

    /// The tokens of many texts, on all processors. The result is the same for any number of them.
    pub fn corpus<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Corpus {
        let mut corpus = Corpus::default();
        // In parts, so that of a large corpus not every single word is in memory at once.
        for part in texts.chunks(4096) {
            let tokens: Vec<Vec<String>> = part.par_iter().map(|text| self.tokens(text.as_ref())).collect();
            tokens.iter().for_each(|tokens| corpus.push(tokens));
        }
        corpus
    }
}
