//! The learners for texts: training, prediction, export, resuming.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod classifier;
mod language_model;
mod occlusion;
mod pretrained;
mod resume;
mod transformer;

use tallow::data::TextBlock;
use tallow::text_learner::TextConfig;

/// Sentences that are good or bad by one word of theirs, of many lengths.
pub(crate) fn reviews(n: usize) -> Vec<(String, &'static str)> {
    const GOOD: [&str; 4] = ["great", "lovely", "fine", "superb"];
    const BAD: [&str; 4] = ["dull", "awful", "poor", "tedious"];
    const REST: [&str; 6] = ["the film", "and its plot", "with the cast", "of this year", "as a whole", "in the end"];
    let sentence = |i: usize| {
        let draw = |name: &str, n: usize| common::hash(name, i) as usize % n;
        let (word, class) =
            if draw("class", 2) == 0 { (GOOD[draw("word", 4)], "pos") } else { (BAD[draw("word", 4)], "neg") };
        let rest = (0..1 + draw("length", 6)).map(|k| REST[common::hash("rest", 7 * i + k) as usize % 6]);
        let mut parts: Vec<&str> = rest.collect();
        parts.insert(draw("place", parts.len() + 1), word);
        (parts.join(" "), class)
    };
    (0..n).map(sentence).collect()
}

/// Stretches of eight words, so that most texts take several.
pub(crate) fn block(n: usize) -> TextBlock {
    TextBlock::labelled(reviews(n)).min_freq(1).seq_len(8)
}

pub(crate) fn config() -> TextConfig {
    TextConfig::default().size(12, 16, 2).drop_mult(0.2)
}
