//! Which words of a text decide: how a probability changes when one is left out.

use crate::data::TextProcs;
use crate::error::{Error, Result};
use crate::text_learner::{TextPrediction, TextPredictor};
use crate::words::{BOS, FLD, SPECIAL, marked_words, readable_parts};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

/// In a text with more words than this, several are left out at a time, to bound the time it takes.
const MOST_PARTS: usize = 200;

/// Texts in memory at once, each without another part.
const AT_ONCE: usize = 64;

/// A text with what each of its words does for a class: how much less probable the class is without the word. Leaving
/// parts out is Zeiler and Fergus's way to look at pictures (2014), and Li, Monroe and Jurafsky's at texts (2016).
#[derive(Debug, Clone, PartialEq)]
pub struct Occlusion {
    /// What is predicted of the whole text.
    pub prediction: TextPrediction,
    /// The class whose probability is looked at, by number.
    pub class: usize,
    /// The words in the order of the text, or stretches of several in a long text.
    pub words: Vec<OccludedWord>,
    /// How many words are left out at once.
    pub stretch: usize,
}

/// A word of a text, and what it does for a class.
#[derive(Debug, Clone, PartialEq)]
pub struct OccludedWord {
    /// The word as it is read, with the space before it.
    pub text: String,
    /// Whether the network knows it; of a stretch, whether it knows any of its words.
    pub is_known: bool,
    /// By how much the probability of the class falls without the word: above 0 where the word speaks for the class.
    pub fall: f64,
    /// The same for each class, in their order.
    pub falls: Vec<f64>,
}

impl Occlusion {
    /// Looks at each word of a text, for a class or for the one that is predicted. What marks how a word is written
    /// goes with the word; the text's beginning and the marks of fields stay. In a text of more than 200 words,
    /// neighbours are left out together, in 200 stretches at most. What the network does not read of a text is not
    /// among its words.
    ///
    /// # Errors
    /// When there is no such class, or a tensor operation fails.
    pub fn of(predictor: &TextPredictor, text: &str, class: Option<&str>) -> Result<Occlusion> {
        match predictor.procs() {
            Some(procs) => Occlusion::of_tokens(predictor, procs, text, class),
            None => Occlusion::of_text(predictor, text, class),
        }
    }

    /// For a network that reads words.
    fn of_tokens(predictor: &TextPredictor, procs: &TextProcs, text: &str, class: Option<&str>) -> Result<Occlusion> {
        let tokens = procs.tokenizer.tokens(text);
        let tokens = procs.read_part(&tokens);
        let words = marked_words(tokens);
        let stretch = words.len().div_ceil(MOST_PARTS).max(1);
        let (mut parts, mut rest) = (Vec::new(), tokens);
        for words in words.chunks(stretch) {
            let (part, others) = rest.split_at(words.iter().map(|word| word.len()).sum());
            parts.push(part);
            rest = others;
        }
        let ids = procs.vocab.ids(tokens);
        let prediction = predictor.predict_ids(&[prepared(procs, ids.clone())])?.pop();
        let (mut without, mut start) = (Vec::with_capacity(parts.len()), 0);
        for some in parts.chunks(AT_ONCE) {
            let mut texts = Vec::with_capacity(some.len());
            for part in some {
                let rest = [&ids[..start + n_kept(part)], &ids[start + part.len()..]].concat();
                texts.push(prepared(procs, rest));
                start += part.len();
            }
            without.extend(predictor.predict_ids(&texts)?);
        }
        let is_known = |part: &[String]| {
            let mut words = part.iter().filter(|token| !SPECIAL.contains(&token.as_str())).peekable();
            words.peek().is_none() || words.any(|word| procs.vocab.find(word).is_some())
        };
        let texts = readable_parts(&parts);
        let words = texts.into_iter().zip(&parts).map(|(text, part)| LeftOut {
            text,
            is_known: is_known(part),
            // Where nothing is left out, the text is the same: what differs is rounding.
            is_there: n_kept(part) < part.len(),
        });
        Occlusion::from_predictions(predictor, prediction, class, words.zip(without), stretch)
    }

    /// For a network that reads pieces of words: what lies between two spaces is left out.
    fn of_text(predictor: &TextPredictor, text: &str, class: Option<&str>) -> Result<Occlusion> {
        let ends = text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at).chain([text.len()]);
        let (mut words, mut start) = (Vec::new(), 0);
        for end in ends {
            // A word with the spaces before it.
            if !text[start..end].trim().is_empty() {
                words.push(start..end);
                start = end;
            }
        }
        let stretch = words.len().div_ceil(MOST_PARTS).max(1);
        let parts: Vec<Range<usize>> =
            words.chunks(stretch).map(|words| words[0].start..words[words.len() - 1].end).collect();
        let prediction = predictor.predict_texts(&[text])?.pop();
        let mut without = Vec::with_capacity(parts.len());
        for some in parts.chunks(AT_ONCE) {
            let texts: Vec<String> =
                some.iter().map(|part| [&text[..part.start], &text[part.end..]].concat()).collect();
            without.extend(predictor.predict_texts(&texts)?);
        }
        let words =
            parts.into_iter().map(|part| LeftOut { text: text[part].to_string(), is_known: true, is_there: true });
        Occlusion::from_predictions(predictor, prediction, class, words.zip(without), stretch)
    }

    fn from_predictions(
        predictor: &TextPredictor,
        prediction: Option<TextPrediction>,
        class: Option<&str>,
        words: impl Iterator<Item = (LeftOut, TextPrediction)>,
        stretch: usize,
    ) -> Result<Occlusion> {
        let prediction = prediction.ok_or_else(|| Error::Value("a text has no prediction".into()))?;
        let class = match class {
            None => prediction.index,
            Some(name) => predictor.classes().iter().position(|known| known == name).ok_or_else(|| {
                let known = predictor.classes().join(", ");
                Error::Value(format!("there is no class `{name}`; the model tells {known} apart"))
            })?,
        };
        let word = |(word, without): (LeftOut, TextPrediction)| {
            let pairs = prediction.probabilities.iter().zip(&without.probabilities);
            let falls: Vec<f64> =
                pairs.map(|(with, without)| if word.is_there { with - without } else { 0.0 }).collect();
            let fall = falls.get(class).copied().unwrap_or_default();
            OccludedWord { text: word.text, is_known: word.is_known, fall, falls }
        };
        let words = words.map(word).collect();
        Ok(Occlusion { prediction, class, words, stretch })
    }

    /// The probability of the class that is looked at, with all words.
    pub fn probability(&self) -> f64 {
        self.prediction.probabilities.get(self.class).copied().unwrap_or_default()
    }

    /// The `n` words without which the probability changes most, the strongest first; of equal ones the first in order.
    pub fn strongest(&self, n: usize) -> Vec<&OccludedWord> {
        let mut words: Vec<&OccludedWord> = self.words.iter().filter(|word| word.fall != 0.0).collect();
        words.sort_by(|a, b| b.fall.abs().total_cmp(&a.fall.abs()));
        words.truncate(n);
        words
    }
}

/// A part of a text, as it is read.
struct LeftOut {
    text: String,
    is_known: bool,
    /// Whether there is something to leave out.
    is_there: bool,
}

fn prepared(procs: &TextProcs, mut ids: Vec<u32>) -> Vec<u32> {
    procs.prepare(&mut ids);
    ids
}

/// How many tokens at the beginning of a part belong to the whole text.
fn n_kept(part: &[String]) -> usize {
    let mut kept = 0;
    while let Some(token) = part.get(kept) {
        kept += match token.as_str() {
            BOS => 1,
            // Its number follows.
            FLD => 2,
            _ => break,
        };
    }
    kept.min(part.len())
}

/// A word in all texts that were looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisiveWord {
    /// The word, in small letters.
    pub word: String,
    /// The class that it speaks for most, by number.
    pub class: usize,
    /// By how much that class is less probable without it, in the mean over the texts that have it.
    pub fall: f64,
    /// The number of these texts.
    pub texts: usize,
}

/// The words that decide in texts of the same classes: those first that change most in all of these together. A word
/// that is in a text twice counts with what both do. Texts of which several words were left out at once have no part.
pub fn decisive_words(texts: &[Occlusion]) -> Vec<DecisiveWord> {
    let mut sums: BTreeMap<String, (Vec<f64>, usize)> = BTreeMap::new();
    for text in texts.iter().filter(|text| text.stretch == 1) {
        let mut seen = HashSet::new();
        for OccludedWord { text, falls, .. } in &text.words {
            let word = text.trim().to_lowercase();
            let is_first = seen.insert(word.clone());
            let (sum, texts) = sums.entry(word).or_insert_with(|| (vec![0.0; falls.len()], 0));
            sum.iter_mut().zip(falls).for_each(|(sum, fall)| *sum += fall);
            *texts += usize::from(is_first);
        }
    }
    let decisive = |(word, (sum, texts)): (String, (Vec<f64>, usize))| {
        let best = (0..sum.len()).fold(0, |best, i| if sum[i] > sum[best] { i } else { best });
        let fall = sum.get(best).copied().unwrap_or_default() / texts.max(1) as f64;
        DecisiveWord { word, class: best, fall, texts }
    };
    let mut words: Vec<DecisiveWord> = sums.into_iter().map(decisive).filter(|word| word.fall > 0.0).collect();
    words.sort_by(|a, b| (b.fall * b.texts as f64).total_cmp(&(a.fall * a.texts as f64)));
    words
}
