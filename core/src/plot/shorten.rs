//! Labels that have to be cut, and still tell what they label apart.

use super::style::TICK_SIZE;
use super::text;
use std::collections::{BTreeMap, BTreeSet};

/// The labels, cut to `width` where they are wider, each distinguishable from all others that it was distinguishable
/// from before. A label loses its end; those that would become alike keep the place where they differ:
///
/// ```
/// let breeds = ["golden_retriever_with_a_long_coat", "golden_retriever_with_a_short_coat", "pug"];
/// let short = tallow::plot::shorten(&breeds, 110.0);
/// assert_eq!(short, ["golden_…long_coat", "golden…short_coat", "pug"]);
/// ```
///
/// `width` is in the units of a page, of which a small letter has about six. Axes, legends and captions do this by
/// themselves; it is for names that become parts of longer texts.
pub fn shorten<S: AsRef<str>>(labels: &[S], width: f64) -> Vec<String> {
    fit_all(labels, TICK_SIZE, width)
}

/// [`shorten`] for letters of a size.
pub(super) fn fit_all<S: AsRef<str>>(labels: &[S], size: f64, max: f64) -> Vec<String> {
    let labels: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    let mut shown: Vec<String> = labels.iter().map(|label| text::fit(label, size, max)).collect();
    // Labels that differ in several places may need several cuts, each further on than the one before.
    for _ in 0..8 {
        let groups = alike(&labels, &shown);
        if groups.is_empty() {
            return shown;
        }
        for group in groups {
            let same = common_prefix(group.iter().map(|&i| labels[i]));
            for i in group {
                shown[i] = cut_around(labels[i], same, size, max);
            }
        }
    }
    // No room for the difference: a number at the end makes one.
    for group in alike(&labels, &shown) {
        let distinct: BTreeSet<&str> = group.iter().map(|&i| labels[i]).collect();
        for i in group {
            let number = format!(" {}", 1 + distinct.iter().position(|label| *label == labels[i]).unwrap_or(0));
            shown[i] = text::fit(labels[i], size, max - text::width(&number, size)) + &number;
        }
    }
    shown
}

/// Groups of labels that are shown alike and are not.
fn alike(labels: &[&str], shown: &[String]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, text) in shown.iter().enumerate() {
        groups.entry(text).or_default().push(i);
    }
    groups.into_values().filter(|group| group.iter().any(|&i| labels[i] != labels[group[0]])).collect()
}

/// How many characters all of these begin with.
fn common_prefix<'a>(mut labels: impl Iterator<Item = &'a str>) -> usize {
    let Some(first) = labels.next() else { return 0 };
    let same = |other: &str| first.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    // Of a label that is equal to the first, all is common.
    labels.filter(|&other| other != first).map(same).min().unwrap_or(0)
}

/// A label without what stands before its character number `same`, as far as that has no room: its beginning, an
/// ellipsis, and what follows from the word on in which the difference is.
fn cut_around(label: &str, same: usize, size: f64, max: f64) -> String {
    const CONTEXT: usize = 8;
    let chars: Vec<char> = label.chars().collect();
    let same = same.min(chars.len());
    let near = same.saturating_sub(CONTEXT);
    let word = chars[near..same].iter().rposition(|c| !c.is_alphanumeric()).map(|at| near + at + 1);
    // A label that ends where the others go on still shows its last letters.
    let start = word.filter(|&at| at < chars.len()).unwrap_or(same.saturating_sub(3));
    let text = |part: &[char]| part.iter().collect::<String>();
    let tail = text::fit(&text(&chars[start..]), size, 0.6 * max);
    let whole = text(&chars[..start]) + &tail;
    if text::width(&whole, size) <= max {
        return whole;
    }
    let joined = |n: usize| format!("{}…{tail}", text(&chars[..n]).trim_end());
    let (mut fits, mut too_long) = (0, start);
    while too_long - fits > 1 {
        let middle = (fits + too_long) / 2;
        if text::width(&joined(middle), size) <= max { fits = middle } else { too_long = middle }
    }
    text::fit(&joined(fits), size, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All are within the width, and as many are different as before.
    fn check(labels: &[String], max: f64) -> Vec<String> {
        let shown = fit_all(labels, 11.0, max);
        for text in &shown {
            assert!(text::width(text, 11.0) <= max, "{text} is wider than {max}");
        }
        let count = |texts: &[String]| texts.iter().collect::<BTreeSet<_>>().len();
        assert_eq!(count(labels), count(&shown), "{shown:?}");
        shown
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn what_has_room_or_differs_early_is_left_or_loses_its_end() {
        assert_eq!(check(&names(&["cat", "dog", "cat"]), 60.0), ["cat", "dog", "cat"]);
        let shown = check(&names(&["a name that is too long", "another name that is too long"]), 100.0);
        assert!(shown.iter().all(|text| text.ends_with('…')), "{shown:?}");
    }

    #[test]
    fn labels_stay_different_wherever_the_difference_is() {
        let long = "german_shepherd_dog_with_a_very_long_name_";
        for max in [60.0, 100.0, 150.0] {
            check(&names(&[&format!("{long}short_hair"), &format!("{long}long_hair"), "pug"]), max);
            check(&(0..30).map(|i| format!("{long}{i:04}")).collect::<Vec<_>>(), max);
            // In several places, at the very end, as a part of the other, and far from both ends.
            check(&names(&[&format!("{long}a{long}a"), &format!("{long}a{long}b"), &format!("{long}b{long}a")]), max);
            check(&names(&[long, &format!("{long}s"), &format!("{long}st")]), max);
            check(&names(&[&format!("{long}x{long}"), &format!("{long}y{long}")]), max);
            check(&names(&[&"草".repeat(90), &("草".repeat(89) + "木")]), max);
        }
        let shown = check(&names(&[&format!("{long}short_hair"), &format!("{long}long_hair")]), 150.0);
        assert!(shown[0].starts_with("german") && shown[0].ends_with("short_hair"), "{shown:?}");
    }
}
