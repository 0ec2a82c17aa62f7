//! Similar names, for messages such as "did you mean".

/// The names that are nearest to `wanted`, of those that are the same but for case, blanks and punctuation and up to
/// two wrong letters.
pub(super) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let plain = |name: &str| -> Vec<char> { name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect() };
    let wanted = plain(wanted);
    let allowed = if wanted.len() < 2 { 0 } else { wanted.len().div_ceil(3).min(2) };
    let mut nearest: Vec<(usize, &str)> =
        names.into_iter().map(|name| (distance(&wanted, &plain(name)), name)).collect();
    let least = nearest.iter().map(|(distance, _)| *distance).min().unwrap_or(usize::MAX);
    nearest.retain(|(distance, _)| *distance <= allowed && *distance == least);
    nearest.into_iter().map(|(_, name)| name).collect()
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
