//! Names that somebody may have meant.

/// The names that are nearly `wanted`: the same but for case, blanks and punctuation, or with up to two letters wrong.
pub(super) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let plain = |name: &str| -> Vec<char> { name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect() };
    let wanted = plain(wanted);
    let allowed = wanted.len().saturating_sub(1).min(2);
    names.into_iter().filter(|name| distance(&wanted, &plain(name)) <= allowed).collect()
}

/// The number of letters to change, insert or leave out (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn what_was_mistyped_is_found() {
        let names = ["age", "education-num", "education", "capital-gain"];
        assert_eq!(near("Education Num", names), ["education-num"]);
        assert_eq!(near("eduction", names), ["education"]);
        assert_eq!(near("capital_gains", names), ["capital-gain"]);
        assert!(near("salary", names).is_empty() && near("a", names).is_empty() && near("", names).is_empty());
    }
}
