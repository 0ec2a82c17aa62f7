//! Labels from the path or the name of a file.

use crate::error::{Error, Result};
use regex::Regex;
use std::ffi::OsStr;
use std::path::Path;

/// The name of a file's folder: `7` for `train/7/10.png`. fast.ai's `parent_label`.
///
/// # Errors
/// When the path has no parent folder, or its name is not UTF-8.
pub fn parent_label(file: &Path) -> Result<String> {
    let folder = file.parent().and_then(Path::file_name);
    let folder = folder.ok_or_else(|| Error::file(file, "has no parent folder to take a label from"))?;
    let what = || format!("lies in a folder whose name {folder:?} is not valid UTF-8; rename the folder");
    folder.to_str().map(str::to_string).ok_or_else(|| Error::file(file, what()))
}

/// The part of a file's name before its last `separator`: `great_pyrenees` for `great_pyrenees_173.jpg` and `_`.
///
/// # Errors
/// When the name does not contain the separator.
pub fn name_label(file: &Path, separator: char) -> Result<String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let label = stem.and_then(|stem| stem.rsplit_once(separator)).map(|(label, _)| label.to_string());
    label.ok_or_else(|| Error::file(file, format!("has no `{separator}` in its name to end a label at")))
}

/// A labeller by a regular expression that is searched for in a file's name: its first group is the label. fast.ai's
/// `RegexLabeller`, on names as in `using_attr(RegexLabeller(...), 'name')`.
///
/// ```
/// use tallow::data::regex_label;
///
/// let label = regex_label(r"^(.*)_\d+\.jpg$")?;
/// assert_eq!(label("pets/great_pyrenees_173.jpg".as_ref())?, "great_pyrenees");
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// When the expression is not a valid regular expression, or has no group.
pub fn regex_label(expression: &str) -> Result<impl Fn(&Path) -> Result<String> + Send + Sync + Clone + 'static> {
    let regex = with_group(expression)?;
    Ok(move |file: &Path| {
        let name = file.file_name().and_then(|name| name.to_str());
        let label = name.and_then(|name| first_group(&regex, name));
        label.ok_or_else(|| Error::file(file, format!("has a name in which `{regex}` finds no label")))
    })
}

/// A labeller by a regular expression that is searched for in a file's path below `folder`, with `/` between its parts
/// on every system: its first group is the label. For what the names of folders tell, such as the day or the animal.
/// fast.ai's `RegexLabeller`, on relative paths.
///
/// ```
/// use tallow::data::path_label;
///
/// let day = path_label("photos", r"^day(\d+)/")?;
/// assert_eq!(day("photos/day12/cat/3.jpg".as_ref())?, "12");
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// When the expression is not a valid regular expression, or has no group.
pub fn path_label(
    folder: impl AsRef<Path>,
    expression: &str,
) -> Result<impl Fn(&Path) -> Result<String> + Send + Sync + Clone + 'static> {
    let (regex, folder) = (with_group(expression)?, folder.as_ref().to_path_buf());
    Ok(move |file: &Path| {
        let below = file.strip_prefix(&folder).unwrap_or(file);
        let parts: Option<Vec<&str>> = below.iter().map(OsStr::to_str).collect();
        let Some(path) = parts.map(|parts| parts.join("/")) else {
            return Err(Error::file(file, "has a path that is not valid UTF-8; rename it"));
        };
        let nothing = || Error::file(file, format!("has a path, `{path}`, in which `{regex}` finds nothing"));
        first_group(&regex, &path).ok_or_else(nothing)
    })
}

/// A regular expression that has a group.
fn with_group(expression: &str) -> Result<Regex> {
    let regex =
        Regex::new(expression).map_err(|e| Error::config("expression", format!("not a regular expression: {e}")))?;
    if regex.captures_len() < 2 {
        let message = format!("`{expression}` has no group in parentheses to tell which part is meant");
        return Err(Error::config("expression", message));
    }
    Ok(regex)
}

/// What the first group of a regular expression finds in a text.
fn first_group(regex: &Regex, text: &str) -> Option<String> {
    let group = regex.captures(text).and_then(|found| found.get(1));
    group.map(|group| group.as_str().to_string())
}

/// The classes by number, in sorted order. fast.ai's `CategoryMap`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Vocab(Vec<String>);

impl Vocab {
    /// The distinct labels, sorted.
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>) -> Vocab {
        let sorted: std::collections::BTreeSet<String> = labels.into_iter().map(Into::into).collect();
        Vocab(sorted.into_iter().collect())
    }

    /// All classes.
    pub fn classes(&self) -> &[String] {
        &self.0
    }

    /// How many there are.
    pub fn n_classes(&self) -> usize {
        self.0.len()
    }

    /// The number of a class.
    ///
    /// # Errors
    /// When it is unknown; the message lists some known ones.
    pub fn index(&self, label: &str) -> Result<u32> {
        self.0.binary_search_by(|class| class.as_str().cmp(label)).map(|i| i as u32).map_err(|_| {
            let known = self.0.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
            let n_classes = self.0.len();
            let message = format!("`{label}` is not among the {n_classes} classes ({known}, ...)");
            Error::label(label, n_classes, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_from_folders_and_names() {
        assert_eq!(parent_label(Path::new("train/7/10.png")).unwrap(), "7");
        assert!(parent_label(Path::new("10.png")).is_err());
        assert_eq!(name_label(Path::new("pets/great_pyrenees_173.jpg"), '_').unwrap(), "great_pyrenees");
        assert!(name_label(Path::new("cat.jpg"), '_').is_err());
    }

    #[test]
    fn classes_are_sorted_and_counted_once() {
        let vocab = Vocab::new(["7", "3", "7"]);
        assert_eq!((vocab.classes(), vocab.n_classes()), (&["3".to_string(), "7".to_string()][..], 2));
        assert_eq!(vocab.index("7").unwrap(), 1);
        assert!(vocab.index("8").unwrap_err().to_string().contains("3, 7"));
    }
}
