//! Decisions that are not applied yet, kept between runs.

use super::trash::FOLDER;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use tallow_io::{atomic, csv};

/// A decision about a photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Move it to the hidden folder of deleted files.
    Delete,
    /// Move it to the folder of this class, on the same side.
    Relabel(String),
}

const HEAD: [&str; 3] = ["file", "change", "class"];

/// Where the plan of a folder of photos is.
pub(super) fn path(root: &Path) -> PathBuf {
    root.join(FOLDER).join("plan.csv")
}

/// Decisions as CSV: a row for each file below `root`, `delete` or `relabel`, and the new class.
pub(super) fn text(root: &Path, changes: &BTreeMap<PathBuf, Change>) -> String {
    let row = |(file, change): (&PathBuf, &Change)| {
        let (word, class) = match change {
            Change::Delete => ("delete", ""),
            Change::Relabel(class) => ("relabel", class.as_str()),
        };
        [csv::path(file.strip_prefix(root).unwrap_or(file)), word.into(), class.into()]
    };
    csv::to_string(std::iter::once(HEAD.map(String::from)).chain(changes.iter().map(row)))
}

/// Writes the plan of a folder, or removes it where nothing is decided.
pub(super) fn save(root: &Path, changes: &BTreeMap<PathBuf, Change>) -> Result<()> {
    let to = path(root);
    if !changes.is_empty() {
        return Ok(atomic::write(to, text(root, changes))?);
    }
    match std::fs::remove_file(&to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&to)(error)),
        _ => Ok(()),
    }
}

/// Reads decisions, as (file below `root`, what is to be done with it). One that stands there twice counts once.
///
/// # Errors
/// When the file cannot be read, a row is no decision, or two of one file differ; the lines are named.
pub(super) fn read(from: &Path, root: &Path) -> Result<Vec<(PathBuf, Change)>> {
    let rows = csv::read_with_lines(from)?;
    match rows.first() {
        Some((_, head)) if *head == HEAD => {}
        _ => return Err(Error::file(from, format!("has no head `{}`", HEAD.join(",")))),
    }
    let decision = |(line, cells): &(u64, Vec<String>)| {
        let (file, change) = match cells.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [file, "delete", ""] | [file, "delete"] => (file, Change::Delete),
            [file, "relabel", class] if !class.is_empty() => (file, Change::Relabel(class.into())),
            _ => {
                let what = format!("line {line}: expected FILE,delete, or FILE,relabel,CLASS");
                return Err(Error::file(from, what));
            }
        };
        // A name may have been written as `./=name`.
        let parts = Path::new(file).components().filter(|part| *part != Component::CurDir);
        Ok((*line, root.join(parts.collect::<PathBuf>()), change))
    };
    let mut decisions: BTreeMap<PathBuf, (u64, Change)> = BTreeMap::new();
    for row in rows.iter().skip(1) {
        let (line, file, change) = decision(row)?;
        if let Some((first, other)) = decisions.insert(file.clone(), (line, change.clone()))
            && other != change
        {
            let name = file.strip_prefix(root).unwrap_or(&file).display();
            let what = format!("the lines {first} and {line} are to change {name} in two ways; remove one of them");
            return Err(Error::file(from, what));
        }
    }
    Ok(decisions.into_iter().map(|(file, (_, change))| (file, change)).collect())
}
