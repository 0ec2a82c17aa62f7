//! Texts as tokens.

use std::collections::HashMap;

/// Texts as tokens, of which each is kept once: a text is a row of numbers, in the order in which tokens were met
/// first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corpus {
    distinct: Vec<String>,
    numbers: HashMap<String, u32>,
    texts: Vec<Vec<u32>>,
}

impl Corpus {
    /// Adds a text.
    pub fn push(&mut self, tokens: &[impl AsRef<str>]) {
        let text = tokens.iter().map(|token| self.number(token.as_ref())).collect();
        self.texts.push(text);
    }

    fn number(&mut self, token: &str) -> u32 {
        if let Some(&number) = self.numbers.get(token) {
            return number;
        }
        let number = self.distinct.len() as u32;
        self.distinct.push(token.to_string());
        self.numbers.insert(token.to_string(), number);
        number
    }

    /// The number of texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// How many tokens there are in all texts.
    pub fn n_tokens(&self) -> usize {
        self.texts.iter().map(Vec::len).sum()
    }

    /// The tokens of text number `index`; none if there is no such text.
    pub fn tokens(&self, index: usize) -> Vec<&str> {
        let text = self.texts.get(index).map_or(&[][..], Vec::as_slice);
        text.iter().map(|&number| self.distinct[number as usize].as_str()).collect()
    }

    /// The tokens of each text by numbers of the corpus's own, equal where the tokens are.
    pub fn numbers(&self) -> &[Vec<u32>] {
        &self.texts
    }

    /// Each distinct token with the number of times that it occurs, in the order of first appearance.
    pub fn counts(&self) -> Vec<(&str, usize)> {
        let mut counts = vec![0; self.distinct.len()];
        self.texts.iter().flatten().for_each(|&number| counts[number as usize] += 1);
        self.distinct.iter().map(String::as_str).zip(counts).collect()
    }

    /// Each text with its tokens replaced by what `number_of` says of them.
    pub(super) fn numbered(&self, number_of: impl Fn(&str) -> u32) -> Vec<Vec<u32>> {
        let numbers: Vec<u32> = self.distinct.iter().map(|token| number_of(token)).collect();
        self.texts.iter().map(|text| text.iter().map(|&token| numbers[token as usize]).collect()).collect()
    }
}
