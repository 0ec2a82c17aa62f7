//! The sentence-polarity reviews (Pang and Lee, 2005), where the data folder has them.
#![allow(dead_code)] // each test program uses a part of it

use std::path::Path;
use tallow::data::{Split, Splitter};

/// All 10,662 sentences, the negative ones first, and whether each is positive; nothing, and a word about it, where the
/// files are not on this machine.
pub(crate) fn reviews() -> Option<(Vec<String>, Vec<bool>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/polarity");
    let (mut texts, mut labels) = (Vec::new(), Vec::new());
    for (name, is_positive) in [("rt-polarity.neg", false), ("rt-polarity.pos", true)] {
        let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
            eprintln!("skipped: ../shared/data/polarity is not here");
            return None;
        };
        // Unicode's other line ends occur inside of sentences, and the blank at an end belongs to its sentence.
        texts.extend(text.trim_end_matches('\n').split('\n').map(String::from));
        labels.resize(texts.len(), is_positive);
    }
    Some((texts, labels))
}

/// fastai's `RandomSplitter(seed=42)` on the reviews: the first of these, in this order, judge.
pub(crate) struct FastaiSplit {
    pub(crate) n_valid: usize,
}

impl FastaiSplit {
    /// The 2,132 reviews that judge a classifier.
    pub(crate) fn valid() -> Vec<usize> {
        serde_json::from_str(include_str!("polarity_valid.json")).unwrap()
    }
}

impl Splitter for FastaiSplit {
    fn split_items(&self, files: &[std::path::PathBuf], _labels: &[String]) -> tallow::Result<Split> {
        let valid = FastaiSplit::valid()[..self.n_valid].to_vec();
        let train = (0..files.len()).filter(|i| !valid.contains(i)).collect();
        Ok(Split { train, valid })
    }
}
