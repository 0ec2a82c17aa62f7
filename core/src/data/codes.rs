//! The classes of pixels, in the order of their numbers.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// The names of pixels' classes in a text file, one a line: the first is that of the number 0. fast.ai's
/// `np.loadtxt('codes.txt', dtype=str)`, with names that may have spaces.
///
/// # Errors
/// When the file cannot be read, is not UTF-8 or names fewer than two classes, when a line between names is empty, by
/// which all that follow would get other numbers, or when a name stands in two lines.
pub fn read_codes(file: impl AsRef<Path>) -> Result<Vec<String>> {
    let file = file.as_ref();
    let bytes = tallow_io::read::bytes(file, tallow_io::read::NOTES).map_err(Error::io(file))?;
    let text = String::from_utf8(bytes).map_err(|_| Error::file(file, "is not UTF-8; save it as UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, name) in text.lines().map(str::trim).enumerate() {
        if name.is_empty() {
            let what =
                format!("names no class in line {}; write one name in each line, in the order of their numbers", i + 1);
            return Err(Error::file(file, what));
        }
        if let Some(first) = lines.insert(name, i + 1) {
            let what = format!("names `{name}` in the lines {first} and {}; each class has a name of its own", i + 1);
            return Err(Error::file(file, what));
        }
    }
    if lines.is_empty() {
        return Err(Error::file(file, "names no class; write one name in each line, in the order of their numbers"));
    }
    if let (1, Some((only, _))) = (lines.len(), lines.first_key_value()) {
        let what = format!(
            "names one class, `{only}`, and a mask tells at least two apart; write one name in each line, in the order \
             of their numbers, that of 0 first"
        );
        return Err(Error::file(file, what));
    }
    Ok(text.lines().map(|name| name.trim().to_string()).collect())
}

/// The classes of pixels, and what a number in a mask stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Codes {
    pub(super) names: Vec<String>,
    pub(super) void: Option<u16>,
    /// Numbers of masks that stand for another one.
    pub(super) values: Vec<(u16, u16)>,
}

impl Codes {
    pub(super) fn new(names: &[String], void: Option<&str>, values: &[(u16, String)]) -> Result<Codes> {
        if names.len() < 2 {
            let message = format!("a mask tells at least two classes of pixels apart, and {} are named", names.len());
            return Err(Error::config("codes", message + ": set `codes`, in the order of their numbers"));
        }
        if names.len() > 1 << 16 {
            return Err(Error::config("codes", format!("a mask has at most 65,536 classes, not {}", names.len())));
        }
        if let Some((i, name)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return Err(Error::config(
                "codes",
                format!("`{name}` is named twice among the codes, at last as number {i}"),
            ));
        }
        let index = |setting: &'static str, name: &str| {
            let place = names.iter().position(|code| code == name).map(|place| place as u16);
            let known = || format!("`{name}` is not among the codes: {}", names.join(", "));
            place.ok_or_else(|| Error::config(setting, known()))
        };
        let void = void.map(|name| index("void", name)).transpose()?;
        let values =
            values.iter().map(|(value, name)| Ok((*value, index("mask_value", name)?))).collect::<Result<_>>()?;
        Ok(Codes { names: names.to_vec(), void, values })
    }

    /// What a number in a mask stands for.
    pub(super) fn class(&self, value: u16) -> u16 {
        let other = self.values.iter().find(|(from, _)| *from == value);
        other.map_or(value, |(_, class)| *class)
    }

    /// All that shapes targets, in words.
    pub(super) fn describe(&self) -> String {
        let values: Vec<String> = self.values.iter().map(|(from, to)| format!("{from} is {to}")).collect();
        let void = self.void.map_or("none".into(), |void| void.to_string());
        format!("{}; void {void}; values {}", self.names.join(", "), values.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_lines_and_keep_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("codes.txt");
        std::fs::write(&file, "\u{feff}Sky\r\nTraffic light\n Car \n\n").unwrap();
        assert_eq!(read_codes(&file).unwrap(), ["Sky", "Traffic light", "Car"]);
        let none_or_one = [("\n", "names no class"), ("sky\n", "one class, `sky`")];
        for (text, words) in [("a\n\nb", "line 2"), ("a\nb\na\n", "lines 1 and 3")].into_iter().chain(none_or_one) {
            std::fs::write(&file, text).unwrap();
            let error = read_codes(&file).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("codes.txt"), "{error}");
        }
    }

    #[test]
    fn void_and_values_are_names_of_codes() {
        let names = ["sky", "road", "void"].map(String::from);
        let codes = Codes::new(&names, Some("void"), &[(255, "void".into())]).unwrap();
        assert_eq!((codes.void, codes.class(255), codes.class(1), codes.class(7)), (Some(2), 2, 1, 7));
        let error = Codes::new(&names, Some("Void"), &[]).unwrap_err().to_string();
        assert!(error.contains("`Void`") && error.contains("sky, road, void"), "{error}");
        assert!(Codes::new(&names[..1], None, &[]).is_err());
        assert!(Codes::new(&[names[0].clone(), names[0].clone()], None, &[]).is_err());
    }
}
