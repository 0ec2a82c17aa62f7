//! The sentence-polarity reviews (Pang and Lee, 2005), where the data folder has them.

use std::path::Path;

/// All 10,662 sentences, the negative ones first, and whether each is positive; nothing, and a word about it, where the
/// files are not on this machine.
pub(crate) fn reviews() -> Option<(Vec<String>, Vec<bool>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/polarity");
    let (mut texts, mut labels) = (Vec::new(), Vec::new());
    for (name, is_positive) in [("rt-polarity.neg", false), ("rt-polarity.pos", true)] {
        let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
            eprintln!("skipped: {name} is not in {}", folder.display());
            return None;
        };
        // Unicode's other line ends occur inside of sentences, and the blank at an end belongs to its sentence.
        texts.extend(text.trim_end_matches('\n').split('\n').map(String::from));
        labels.resize(texts.len(), is_positive);
    }
    Some((texts, labels))
}
