//! Term frequencies, weighted by inverse document frequencies.

use super::sparse::SparseMatrix;
use crate::error::{Error, Result};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// Texts as rows of weights, one for each word: how often it occurs in a text, times how few texts it occurs in, and
/// each row of length 1. scikit-learn's `TfidfVectorizer`, with its defaults: small letters, words of two letters or
/// digits at least, `smooth_idf`.
///
/// ```
/// use tallow::classic::{LogisticRegression, Tfidf};
///
/// let texts = ["good film", "very good", "bad film", "very bad"];
/// let tfidf = Tfidf::new().ngrams(1, 2).fit(&texts)?;
/// assert_eq!(tfidf.terms(), ["bad", "bad film", "film", "good", "good film", "very", "very bad", "very good"]);
/// let model = LogisticRegression::new().fit_sparse(&tfidf.transform(&texts), &[1, 1, 0, 0])?;
/// assert_eq!(model.predict_sparse(&tfidf.transform(&["a good one"]))?, [1]);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tfidf {
    shortest: usize,
    longest: usize,
    sublinear: bool,
    min_df: usize,
}

impl Default for Tfidf {
    fn default() -> Tfidf {
        Tfidf::new()
    }
}

impl Tfidf {
    /// Single words, counted as they are.
    pub fn new() -> Tfidf {
        Tfidf { shortest: 1, longest: 1, sublinear: false, min_df: 1 }
    }

    /// Takes sequences of `shortest` to `longest` words: `ngram_range`.
    pub fn ngrams(self, shortest: usize, longest: usize) -> Tfidf {
        Tfidf { shortest, longest, ..self }
    }

    /// Counts a word that occurs `n` times in a text as `1 + ln n`: `sublinear_tf`.
    pub fn sublinear(self) -> Tfidf {
        Tfidf { sublinear: true, ..self }
    }

    /// In how many texts a word must occur to be one of the terms; 1 by default: `min_df`.
    pub fn min_df(self, min_df: usize) -> Tfidf {
        Tfidf { min_df, ..self }
    }

    /// Finds the terms of texts, and in how many of them each occurs.
    ///
    /// # Errors
    /// [`Error::Config`] where sequences are of no words; [`Error::Value`] where no term is left.
    pub fn fit(&self, texts: &[impl AsRef<str> + Sync]) -> Result<FittedTfidf> {
        if self.shortest == 0 || self.longest < self.shortest {
            let (from, to) = (self.shortest, self.longest);
            let message = format!("sequences of {from} to {to} words: expected 1 or more, and no less than the first");
            return Err(Error::config("ngrams", message));
        }
        let mut n_texts_with: HashMap<String, usize> = HashMap::new();
        for counts in texts.par_iter().map(|text| self.counts(text.as_ref())).collect::<Vec<_>>() {
            counts.into_keys().for_each(|term| *n_texts_with.entry(term).or_default() += 1);
        }
        let mut terms: Vec<(String, usize)> = n_texts_with.into_iter().filter(|(_, n)| *n >= self.min_df).collect();
        terms.sort();
        if terms.is_empty() {
            let (n, min_df) = (texts.len(), self.min_df);
            let what = "a word has two letters or digits at least";
            return Err(Error::Value(format!("{n} texts have no term that is in {min_df} of them: {what}")));
        }
        let idf = |&(_, with): &(String, usize)| ((1.0 + texts.len() as f64) / (1.0 + with as f64)).ln() + 1.0;
        let idf = terms.iter().map(idf).collect();
        let terms: Vec<String> = terms.into_iter().map(|(term, _)| term).collect();
        let places = terms.iter().cloned().zip(0..).collect();
        Ok(FittedTfidf { settings: *self, terms, places, idf })
    }

    /// How often each term occurs in a text.
    fn counts(&self, text: &str) -> BTreeMap<String, usize> {
        let text = text.to_lowercase();
        let words: Vec<&str> = text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| word.chars().nth(1).is_some())
            .collect();
        let mut counts = BTreeMap::new();
        for n in self.shortest..=self.longest {
            for term in words.windows(n) {
                *counts.entry(term.join(" ")).or_default() += 1;
            }
        }
        counts
    }
}

/// A fitted [`Tfidf`].
#[derive(Debug, Clone, PartialEq)]
pub struct FittedTfidf {
    settings: Tfidf,
    terms: Vec<String>,
    places: HashMap<String, u32>,
    idf: Vec<f64>,
}

impl FittedTfidf {
    /// The terms by their column, sorted: `get_feature_names_out`.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// The weight of each term, the larger the fewer texts it is in: `idf_`.
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// Texts as rows of weights. Terms that are not known do not count; a text without any is a row of zeros.
    pub fn transform(&self, texts: &[impl AsRef<str> + Sync]) -> SparseMatrix {
        let rows: Vec<Vec<(u32, f64)>> = texts.par_iter().map(|text| self.row(text.as_ref())).collect();
        SparseMatrix::of_sorted(self.terms.len(), rows)
    }

    fn row(&self, text: &str) -> Vec<(u32, f64)> {
        let counts = self.settings.counts(text);
        let known = counts.into_iter().filter_map(|(term, n)| Some((*self.places.get(&term)?, n as f64)));
        let weight = |n: f64| if self.settings.sublinear { 1.0 + n.ln() } else { n };
        // Terms are numbered in the order in which the counts are sorted.
        let mut row: Vec<(u32, f64)> = known.map(|(at, n)| (at, weight(n) * self.idf[at as usize])).collect();
        let length = row.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        row.iter_mut().for_each(|(_, value)| *value /= length);
        row
    }
}
