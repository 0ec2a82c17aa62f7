//! The thousand classes of ImageNet, by which published networks are usually trained.

/// The classes' names, in the order of the networks' scores, in torchvision's spelling
/// (`ResNet18_Weights.IMAGENET1K_V1.meta["categories"]`). No two are the same: the bird is the `crane bird`, the
/// machine the `crane`.
pub static CLASSES: [&str; 1000] = lines(include_str!("../embedded/imagenet_classes.txt"));

/// The lines of a text of exactly so many. It is cut while the program is compiled.
const fn lines<const N: usize>(text: &'static str) -> [&'static str; N] {
    let mut found = [""; N];
    let (mut rest, mut line, mut end) = (text, 0, 0);
    while end < rest.len() {
        if rest.as_bytes()[end] == b'\n' {
            let (before, after) = rest.split_at(end);
            found[line] = before;
            rest = after.split_at(1).1;
            line += 1;
            end = 0;
        } else {
            end += 1;
        }
    }
    assert!(line == N && rest.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::CLASSES;

    #[test]
    fn known_classes_stand_in_their_places_and_no_two_are_the_same() {
        let known = [
            (0, "tench"),
            (11, "goldfinch"),
            (12, "house finch"),
            (134, "crane bird"),
            (281, "tabby"),
            (340, "zebra"),
            (517, "crane"),
            (638, "maillot"),
            (639, "maillot tank suit"),
            (669, "mosquito net"),
            (836, "sunglass"),
            (837, "sunglasses"),
            (999, "toilet tissue"),
        ];
        for (i, name) in known {
            assert_eq!(CLASSES[i], name);
        }
        let distinct: std::collections::HashSet<&str> = CLASSES.iter().copied().collect();
        assert_eq!(distinct.len(), 1000);
        assert!(CLASSES.iter().all(|name| !name.is_empty() && name.trim() == *name && name.is_ascii()));
    }
}
