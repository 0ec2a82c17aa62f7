//! What looks wrong with texts and their classes, in sentences.

use super::procs::TextProcs;
use crate::data::Vocab;
use crate::words::{BOS_ID, UNK_ID};

/// A text of which this many tokens are nothing special.
const LONG: usize = 20_000;

/// So many classes are nothing special, however few texts there are.
const FEW_CLASSES: usize = 20;

/// What a user should know of the texts themselves: `texts` with the place that each comes from, and `ids`, the numbers
/// of their tokens, all of which were read.
pub(super) fn text_warnings(texts: &[(&str, &str)], ids: &[Vec<u32>], procs: &TextProcs) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut told = |which: Vec<usize>, what: &str, and: &str| {
        if let Some(&first) = which.first() {
            warnings.push(format!("{} texts {what} ({}){and}", which.len(), texts[first].1));
        }
    };
    let those = |is: &dyn Fn(usize) -> bool| (0..texts.len()).filter(|&i| is(i)).collect::<Vec<usize>>();
    let is_control = |c: char| c.is_control() && !"\n\r\t".contains(c);
    let hidden = those(&|i| texts[i].0.contains(is_control));
    told(hidden, "hold control characters", ", which are taken for parts of words");
    let empty = those(&|i| ids[i].is_empty() || ids[i] == [BOS_ID]);
    told(empty, "have no words", ": they are kept, and a network sees their beginning alone");
    if let Some(max) = procs.max_tokens {
        let long = those(&|i| ids[i].len() > max);
        told(long, &format!("have more than {max} tokens"), &format!(": the last {max} on the network's way are read"));
    } else if let Some(i) = (0..ids.len()).max_by_key(|&i| ids[i].len()).filter(|&i| ids[i].len() > LONG) {
        let (n, place) = (ids[i].len(), texts[i].1);
        warnings.push(format!("a text has {n} tokens ({place}): all texts of its batch are made as long"));
    }
    let n_tokens: usize = ids.iter().map(Vec::len).sum();
    let n_unknown = ids.iter().flatten().filter(|&&id| id == UNK_ID).count();
    if 5 * n_unknown > n_tokens {
        let share = 100.0 * n_unknown as f64 / n_tokens as f64;
        warnings.push(format!(
            "{share:.0} per cent of all words are unknown, so that a network cannot tell them apart: more texts or a \
             smaller minimal frequency would make more known"
        ));
    }
    warnings
}

/// What a user should know of classes that `n_texts` texts have, if they look like something else.
///
/// # Errors
/// A sentence, when there is a single class, or there are about as many as texts.
pub(super) fn class_warnings(classes: &Vocab, n_texts: usize) -> Result<Vec<String>, String> {
    let (names, n) = (classes.classes(), classes.n_classes());
    let some = || names.iter().take(3).map(|name| format!("`{}`", shortened(name))).collect::<Vec<_>>().join(", ");
    if n < 2 {
        return Err(format!("all texts are of one class, {}: a classifier needs two to tell apart", some()));
    }
    if n > FEW_CLASSES && 2 * n > n_texts {
        return Err(format!(
            "{n_texts} texts have {n} different classes, such as {}: these are numbers or texts rather than classes, \
             of which each needs several texts; name another target",
            some()
        ));
    }
    let are_numbers = names.iter().all(|name| name.parse::<f64>().is_ok());
    if are_numbers && n > FEW_CLASSES {
        return Ok(vec![format!(
            "the {n} classes are numbers ({}), and nothing knows that some are near each other",
            some()
        )]);
    }
    Ok(Vec::new())
}

/// A class as it is quoted: free text may be long.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 40;
    if name.chars().count() <= LONGEST {
        return name.to_string();
    }
    name.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_class_is_told_or_refused() {
        let classes = |n: usize| Vocab::new((0..n).map(|i| (i * 7).to_string()));
        assert!(class_warnings(&classes(5), 6).unwrap().is_empty());
        assert!(class_warnings(&classes(300), 3000).unwrap()[0].contains("300 classes are numbers"));
        let message = class_warnings(&classes(1000), 1100).unwrap_err();
        assert!(message.contains("1100 texts have 1000 different classes") && message.contains("target"), "{message}");
        assert!(class_warnings(&classes(1), 10).unwrap_err().contains("one class, `0`"));
    }
}
