//! What shaped a training run, in words, so that a checkpoint serves the run that it is of and no other.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Display;

/// What shaped a run: names with their values in words, in order. Two runs with equal fingerprints end with the same
/// numbers.
///
/// A name is a phrase that goes before "was", a value one that goes after it:
///
/// ```
/// use tallow::fingerprint::Fingerprint;
///
/// let then = Fingerprint::default().with("the seed", 42).with("the photo a.jpg", "cat");
/// let now = Fingerprint::default().with("the seed", 43).with("the photo a.jpg", "cat");
/// assert_eq!(then.differences(&now), ["the seed was 42, now it is 43"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Vec<(String, String)>);

/// Values that are longer than this are shown from where they begin to differ.
const SHOWN: usize = 90;

impl Fingerprint {
    /// One entry more; each name should occur once.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Display) -> Fingerprint {
        self.0.push((name.into(), value.to_string()));
        self
    }

    /// All entries of another one after these, with `prefix` before their names.
    #[must_use]
    pub fn and(mut self, prefix: &str, other: Fingerprint) -> Fingerprint {
        self.0.extend(other.0.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
        self
    }

    /// The entries, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Where a run that is asked for now differs from the one that this is of, in sentences; empty if they are equal.
    pub fn differences(&self, now: &Fingerprint) -> Vec<String> {
        // First, since names need not be unique: those of files lose what is not UTF-8.
        if self == now {
            return Vec::new();
        }
        let (then_is, now_is): (HashMap<_, _>, HashMap<_, _>) = (self.entries().collect(), now.entries().collect());
        let mut found = Vec::new();
        for (name, was) in self.entries() {
            match now_is.get(name) {
                Some(&is) if is == was => {}
                Some(&is) => {
                    let (was, is) = excerpts(was, is);
                    found.push(format!("{name} was {was}, now it is {is}"));
                }
                None => found.push(format!("{name} was {}, now there is none", start(was))),
            }
        }
        let new = now.entries().filter(|(name, _)| !then_is.contains_key(name));
        found.extend(new.map(|(name, is)| format!("there was none of {name}, which now is {}", start(is))));
        if found.is_empty() {
            let moved = self.entries().zip(now.entries()).find(|(then, now)| then != now);
            found.push(moved.map_or("the number of entries was another".into(), |(then, now)| {
                format!("{} had the place of {} in the order", then.0, now.0)
            }));
        }
        found
    }

    /// The first few [`Fingerprint::differences`] in one sentence; `None` if there are none.
    pub fn difference(&self, now: &Fingerprint) -> Option<String> {
        const FEW: usize = 4;
        let all = self.differences(now);
        let more = match all.len().saturating_sub(FEW) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        (!all.is_empty()).then(|| all[..all.len().min(FEW)].join("; ") + &more)
    }
}

fn start(value: &str) -> String {
    if value.chars().count() <= SHOWN { value.into() } else { value.chars().take(SHOWN).chain(['…']).collect() }
}

/// Two different values as they are, or, if one is long, from a little before the place where they part.
fn excerpts(was: &str, is: &str) -> (String, String) {
    if was.chars().count().max(is.chars().count()) <= SHOWN {
        return (was.into(), is.into());
    }
    let common = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
    let from = common.saturating_sub(SHOWN / 2);
    let excerpt = |value: &str| {
        let rest: String = value.chars().skip(from).collect();
        if from == 0 { start(&rest) } else { format!("…{}", start(&rest)) }
    };
    (excerpt(was), excerpt(is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_is_named_with_both_values() {
        let then = Fingerprint::default().with("the seed", 42).with("a.jpg", "cat").with("b.jpg", "dog");
        let now = Fingerprint::default().with("the seed", 43).with("a.jpg", "dog").with("c.jpg", "dog");
        let want = [
            "the seed was 42, now it is 43",
            "a.jpg was cat, now it is dog",
            "b.jpg was dog, now there is none",
            "there was none of c.jpg, which now is dog",
        ];
        assert_eq!(then.differences(&now), want);
        assert!(then.differences(&then).is_empty() && then.difference(&then).is_none());
    }

    #[test]
    fn another_order_is_a_difference() {
        let then = Fingerprint::default().with("a.jpg", "cat").with("b.jpg", "cat");
        let now = Fingerprint::default().with("b.jpg", "cat").with("a.jpg", "cat");
        assert_eq!(then.differences(&now), ["a.jpg had the place of b.jpg in the order"]);
        // Names that are not unique hide no difference and make none.
        let doubled = |values: [&str; 2]| values.iter().fold(Fingerprint::default(), |f, value| f.with("?.jpg", value));
        assert!(doubled(["cat", "dog"]).differences(&doubled(["cat", "dog"])).is_empty());
        assert!(!doubled(["cat", "dog"]).differences(&doubled(["dog", "dog"])).is_empty());
        assert_eq!(then.clone().and("", then.clone()).differences(&then), ["the number of entries was another"]);
    }

    #[test]
    fn of_many_differences_a_few_are_told_and_of_long_values_where_they_part() {
        let of = |seed: usize| (0..9).fold(Fingerprint::default(), |f, i| f.with(format!("the item {i}"), seed + i));
        let told = of(0).difference(&of(1)).unwrap();
        assert!(told.starts_with("the item 0 was 0, now it is 1; ") && told.ends_with("; and 5 more"), "{told}");
        let steps = |size: usize| format!("{}size {size}{}", "flip, ".repeat(40), ", normalize".repeat(40));
        let long = |size: usize| Fingerprint::default().with("the transforms", steps(size));
        let told = long(224).difference(&long(64)).unwrap();
        assert!(told.contains("size 224, norm") && told.contains("size 64, norm") && told.len() < 300, "{told}");
    }
}
