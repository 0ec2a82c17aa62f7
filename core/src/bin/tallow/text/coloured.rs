//! Words in colours, by what they do.

use tallow::interpret::{OccludedWord, Occlusion};
use tallow::report::{Passage, PassageWord};

/// Where no word changes a probability by this much, none has its full colour.
const NOTABLE: f64 = 0.01;

/// What changes a probability by less is not said.
const LEAST: f64 = 0.0005;

/// A text with its words in colours, and in words what they do.
pub(crate) fn passage(heading: String, occlusion: &Occlusion, classes: &[String]) -> Passage {
    let class = classes.get(occlusion.class).map_or("", String::as_str);
    let strongest = occlusion.words.iter().map(|word| word.fall.abs()).fold(NOTABLE, f64::max);
    let words = occlusion.words.iter().map(|word| {
        let change = if word.fall < 0.0 { "more" } else { "less" };
        let known = if word.is_known { "" } else { " (the network does not know it)" };
        let title = format!("without it {class} is {:.3} {change} probable{known}", word.fall.abs());
        PassageWord { text: shown(&word.text), weight: word.fall / strongest, title }
    });
    Passage { heading, words: words.collect(), summary: summary(occlusion, class) }
}

/// What the strongest words do, in a sentence.
pub(crate) fn summary(occlusion: &Occlusion, class: &str) -> String {
    let side = |is_for: bool| {
        let is_told = |word: &&OccludedWord| (word.fall > 0.0) == is_for && word.fall.abs() >= LEAST;
        let words = occlusion.strongest(8).into_iter().filter(is_told).take(4);
        words.map(|word| format!("{} {:.3}", word_of(word), word.fall.abs())).collect::<Vec<_>>().join(", ")
    };
    let sides = [("for", side(true)), ("against", side(false))];
    let sides = sides.iter().filter(|(_, words)| !words.is_empty()).map(|(what, words)| format!("{what} it {words}"));
    let sides: Vec<String> = sides.collect();
    let told = if sides.is_empty() { "no word changes it much".to_string() } else { sides.join("; ") };
    let stretch = if occlusion.stretch > 1 { format!(" ({} words at once)", occlusion.stretch) } else { String::new() };
    format!("{class} {:.3}: {told}{stretch}", occlusion.probability())
}

/// A word without the space before it.
pub(crate) fn word_of(word: &OccludedWord) -> String {
    shown(word.text.trim())
}

/// A word as long as it may be shown: what has no spaces can be of any length.
fn shown(word: &str) -> String {
    const LONGEST: usize = 80;
    if word.chars().count() <= LONGEST {
        return word.to_string();
    }
    word.chars().take(LONGEST).chain(['…']).collect()
}
