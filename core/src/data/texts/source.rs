//! Where texts come from: a table, a folder of files, or memory.

use super::procs::TextProcs;
use crate::data::encoding::Encoding;
use crate::data::find::some_names;
use crate::data::layout::FolderLayout;
use crate::data::table::{Sides, Splitting, Table};
use crate::data::{Placed, Side};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Texts, what each is known to be, and which side it is on.
pub(super) struct Source {
    pub(super) texts: Vec<String>,
    /// Where each comes from, in words.
    pub(super) places: Vec<String>,
    pub(super) labels: Vec<Option<String>>,
    /// The sides of the texts that are used.
    pub(super) sides: Sides,
    /// What was left out.
    pub(super) notes: Vec<String>,
}

/// Which items are for training and which for validation.
pub(super) struct HowToSplit<'a> {
    pub(super) splitting: &'a Splitting,
    /// Whether a user has asked for this splitting, so that the names of folders say nothing about sides.
    pub(super) is_chosen: bool,
    pub(super) seed: u64,
}

impl Source {
    /// Rows of a table: the columns of the text, and the one of the class if classes are wanted.
    ///
    /// # Errors
    /// When there is no such column, or a side of the split is empty.
    pub(super) fn of_table(
        table: &Table,
        text: &[String],
        target: Option<&str>,
        split: &HowToSplit<'_>,
    ) -> Result<Source> {
        let columns = text.iter().map(|name| table.place(name)).collect::<Result<Vec<usize>>>()?;
        let target = target.map(|name| table.place(name)).transpose()?;
        let mut notes = Vec::new();
        let mut rows: Vec<usize> = (0..table.n_rows()).collect();
        let mut require = |what: &str, has: &dyn Fn(usize) -> bool| {
            let (with, without): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| has(row));
            if let Some(&first) = without.first() {
                let n = without.len();
                notes.push(format!("{n} rows have no {what} and are left out ({})", place(table, first)));
            }
            rows = with;
        };
        require("text", &|row| columns.iter().any(|&column| table.cell(row, column).is_some()));
        if let Some(target) = target {
            require("class", &|row| table.cell(row, target).is_some());
        }
        let first = columns.first().copied().unwrap_or_default();
        let sides = split.splitting.sides(table, &rows, target.unwrap_or(first), split.seed)?;
        let text = |row: usize| {
            let cells: Vec<&str> = columns.iter().map(|&column| table.cell(row, column).unwrap_or_default()).collect();
            TextProcs::joined(&cells)
        };
        let all = 0..table.n_rows();
        let label = |row: usize| target.and_then(|target| table.cell(row, target)).map(String::from);
        Ok(Source {
            texts: all.clone().map(text).collect(),
            places: all.clone().map(|row| place(table, row)).collect(),
            labels: all.map(label).collect(),
            sides,
            notes,
        })
    }

    /// The files of a folder whose names end in `.txt`, with the names of their folders as classes and sides.
    ///
    /// # Errors
    /// When there are none, one cannot be read or is in another encoding, one has no class where classes are wanted, or
    /// a side of the split is empty.
    pub(super) fn of_folder(
        folder: &Path,
        encoding: Encoding,
        classes: bool,
        split: &HowToSplit<'_>,
    ) -> Result<Source> {
        let (mut files, mut others) = (Vec::new(), Vec::new());
        walk(folder, &mut files, &mut others)?;
        if files.is_empty() {
            return Err(Error::file(folder, "holds no text file (.txt), nor do its folders"));
        }
        let layout = FolderLayout::read(folder, &files)?;
        let mut notes = layout.notes().to_vec();
        if !others.is_empty() {
            let n = others.len();
            notes.push(format!("passed over {n} files that do not end in .txt ({})", some_names(&others)));
        }
        let placed = layout.placed();
        if classes {
            let without = placed.iter().position(|placed| placed.label.is_none() && !placed.outside);
            if let Some(i) = without {
                let what = "lies in no folder whose name could be its class; expected a folder for each class";
                return Err(Error::file(&files[i], what));
            }
        }
        let texts = files.iter().map(|file| encoding.read(file)).collect::<Result<Vec<String>>>()?;
        let labels: Vec<Option<String>> = placed.iter().map(|placed| placed.label.clone()).collect();
        // A language model learns from what lies outside of the sides too.
        let is_used = |i: &usize| !classes || !placed[*i].outside;
        let (used, outside): (Vec<usize>, Vec<usize>) = (0..files.len()).partition(is_used);
        if !outside.is_empty() {
            let names: Vec<&Path> = outside.iter().map(|&i| files[i].as_path()).collect();
            let n = outside.len();
            notes.push(format!(
                "{n} files lie outside of the folders of sides and are left out ({})",
                some_names(&names)
            ));
        }
        let sides = sides_of(placed, &used, &files, &labels, split)?;
        let places = files.iter().map(|file| file.display().to_string()).collect();
        Ok(Source { texts, places, labels, sides, notes })
    }

    /// Texts in memory.
    ///
    /// # Errors
    /// When a side of the split is empty.
    pub(super) fn in_memory(texts: &[(String, Option<String>)], split: &HowToSplit<'_>) -> Result<Source> {
        let names: Vec<PathBuf> = (0..texts.len()).map(|i| i.to_string().into()).collect();
        let labels: Vec<Option<String>> = texts.iter().map(|(_, label)| label.clone()).collect();
        let used: Vec<usize> = (0..texts.len()).collect();
        let nothing = Placed { label: None, side: None, outside: false };
        let sides = sides_of(&vec![nothing; texts.len()], &used, &names, &labels, split)?;
        let places = used.iter().map(|i| format!("text {i}")).collect();
        let texts = texts.iter().map(|(text, _)| text.clone()).collect();
        Ok(Source { texts, places, labels, sides, notes: Vec::new() })
    }
}

/// Puts items on their sides: by their folders, if these say so and nobody has asked for another split.
fn sides_of(
    placed: &[Placed],
    items: &[usize],
    names: &[PathBuf],
    labels: &[Option<String>],
    split: &HowToSplit<'_>,
) -> Result<Sides> {
    let on = |side: Side| items.iter().copied().filter(|&i| placed[i].side == Some(side)).collect::<Vec<usize>>();
    let (valid, test) = (on(Side::Valid), on(Side::Test));
    let sides = if !split.is_chosen && !valid.is_empty() {
        let train = items.iter().copied().filter(|i| !matches!(placed[*i].side, Some(Side::Valid | Side::Test)));
        Sides { train: train.collect(), valid, test }
    } else {
        let rest: Vec<usize> = items.iter().copied().filter(|&i| placed[i].side != Some(Side::Test)).collect();
        let label = |i: usize| labels[i].clone().unwrap_or_default();
        let parts = split.splitting.split(&rest, |i| names[i].clone(), label, split.seed)?;
        Sides { train: parts.train, valid: parts.valid, test }
    };
    for (side, what) in [(&sides.train, "train on"), (&sides.valid, "validate on")] {
        if side.is_empty() {
            let message = format!("by the split there is none of {} texts to {what}", items.len());
            return Err(Error::config("valid_pct", message));
        }
    }
    Ok(sides)
}

fn place(table: &Table, row: usize) -> String {
    format!("{} {}", if table.file().is_some() { "line" } else { "row" }, table.line(row))
}

/// The text files of a folder and of those in it, sorted, and the files of other kinds; hidden ones do not count.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, others: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = entries.map_err(Error::io(folder))?.iter().map(std::fs::DirEntry::path).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    paths.sort();
    for path in paths {
        let kind = std::fs::symlink_metadata(&path).map_err(Error::io(&path))?;
        let is_text = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
        if kind.is_dir() {
            walk(&path, files, others)?;
        } else if is_text && path.is_file() {
            files.push(path);
        } else {
            others.push(path);
        }
    }
    Ok(())
}
