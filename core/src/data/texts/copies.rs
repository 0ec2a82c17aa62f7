//! Texts that are there twice.

use std::collections::HashMap;

/// What a user should know of texts that have the same tokens as others: how many are copies of an earlier one, how
/// many are in two classes, and how many of those for validation are among those to train with, which makes a network
/// look better than it is. `texts` are tokens by number; `class_of` and `is_valid` tell of a text its class and its
/// side, `place_of` where it comes from.
pub(super) fn copy_notes(
    texts: &[Vec<u32>],
    class_of: impl Fn(usize) -> u32,
    is_valid: impl Fn(usize) -> bool,
    place_of: impl Fn(usize) -> String,
) -> Vec<String> {
    let mut groups: HashMap<&[u32], Vec<usize>> = HashMap::new();
    for (i, text) in texts.iter().enumerate() {
        groups.entry(text).or_default().push(i);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.sort();
    let n_copies: usize = groups.iter().map(|group| group.len() - 1).sum();
    let mut notes = Vec::new();
    if let Some(group) = groups.first() {
        let (n, one, other) = (n_copies, place_of(group[0]), place_of(group[1]));
        notes.push(format!("{n} texts say the same as an earlier one ({other} as {one})"));
    }
    let differs = |group: &&Vec<usize>| group.iter().any(|&i| class_of(i) != class_of(group[0]));
    let contradictions: Vec<&Vec<usize>> = groups.iter().filter(differs).collect();
    if let Some(group) = contradictions.first() {
        let other = group.iter().copied().find(|&i| class_of(i) != class_of(group[0])).unwrap_or(group[0]);
        let (n, one, other) = (contradictions.len(), place_of(group[0]), place_of(other));
        notes.push(format!("{n} texts are in two classes ({one} and {other}): nothing can tell them right"));
    }
    let side =
        |group: &[usize], valid: bool| group.iter().copied().filter(|&i| is_valid(i) == valid).collect::<Vec<_>>();
    let across: Vec<(usize, usize)> = groups
        .iter()
        .flat_map(|group| {
            let train = side(group, false).first().copied();
            side(group, true).into_iter().filter_map(move |valid| Some((valid, train?)))
        })
        .collect();
    if let Some(&(valid, train)) = across.first() {
        let (n, one, other) = (across.len(), place_of(valid), place_of(train));
        notes.push(format!(
            "{n} validation texts are among the training texts ({one}, and {other}): validation flatters"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_counted_by_what_they_spoil() {
        let ids: Vec<Vec<u32>> = [1, 2, 1, 3, 2, 1, 4].iter().map(|&id| vec![2, id]).collect();
        let notes = copy_notes(&ids, |i| u32::from(i == 4), |i| i >= 5, |i| format!("line {i}"));
        assert_eq!(
            notes,
            [
                "3 texts say the same as an earlier one (line 2 as line 0)",
                "1 texts are in two classes (line 1 and line 4): nothing can tell them right",
                "1 validation texts are among the training texts (line 5, and line 0): validation flatters",
            ]
        );
        assert!(copy_notes(&ids[2..4], |_| 0, |_| false, |_| String::new()).is_empty());
    }
}
