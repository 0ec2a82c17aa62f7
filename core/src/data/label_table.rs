//! Labels from a table: a CSV file with a row for each image.

use super::csv_text::CsvText;
use super::encoding::Encoding;
use super::find::find_images;
use super::labelled::{LabelledImage, LabelledImages, SidesColumn};
use super::layout::Side;
use crate::error::{Error, Result};
use crate::vision::EXTENSIONS;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which columns of a table hold what. Columns that are not named are found by the heads that such tables usually have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableColumns {
    /// The file, relative to the folder of images, with or without its extension. By default `file`, `filename`,
    /// `image`, `path`, `name`, `id` and the like, or the first column.
    pub file: Option<String>,
    /// The class. By default `label`, `class`, `category`, `target`, `breed` and the like, with or without an `s`; in a
    /// table of two columns the second.
    pub label: Option<String>,
    /// The side: names as in [`Side::of_folder`], or in a column `is_valid` whether the image is for validation. By
    /// default
    /// `split`, `set`, `subset`, `side`, `is_valid`, if there is one.
    pub split: Option<String>,
    /// What images belong to together. By default none.
    pub group: Option<String>,
    /// What stands between several classes of one image; None if each has exactly one class, in which all characters
    /// count. fast.ai's `label_delim`.
    pub delimiter: Option<char>,
}

/// A table of images with their classes. fast.ai's `ImageDataLoaders.from_csv` reads the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTable {
    file: PathBuf,
    rows: Vec<Row>,
    /// The head of the files' column, where only its place tells that it is the one: it may be no head.
    doubted: Option<String>,
    /// The column of the sides, if there is one.
    sides: Option<SidesColumn>,
    /// How columns were chosen that were not named, where there was a choice.
    notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    line: u64,
    image: String,
    labels: Vec<String>,
    side: Option<Side>,
    group: Option<String>,
}

const FILE_HEADS: [&str; 12] = [
    "file",
    "filename",
    "file_name",
    "fname",
    "image",
    "image_name",
    "image_id",
    "img",
    "path",
    "filepath",
    "name",
    "id",
];
const LABEL_HEADS: [&str; 8] = ["label", "class", "category", "target", "tag", "breed", "species", "y"];
const SPLIT_HEADS: [&str; 6] = ["split", "set", "subset", "side", "is_valid", "valid"];

impl LabelTable {
    /// Reads a CSV file with a line of heads, in UTF-8; the separator may be a comma, a semicolon or a tab.
    ///
    /// # Errors
    /// When the file cannot be read or is not UTF-8, its first line is a photo's and not one of heads, a column is
    /// missing, rows differ in length, a cell of a file or of a class is empty, a side is unknown, or a file stands in
    /// two rows.
    pub fn read(file: impl AsRef<Path>, columns: &TableColumns) -> Result<LabelTable> {
        let file = file.as_ref();
        let CsvText { text, separator } = CsvText::read(file, Encoding::Utf8)?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).trim(csv::Trim::All).from_reader(text.as_bytes());
        let useless = |e: csv::Error| Error::file(file, format!("is not a table that can be read: {e}"));
        let heads: Vec<String> = reader.headers().map_err(useless)?.iter().map(str::to_string).collect();
        let mut notes = Vec::new();
        let places = Places::of(file, &heads, columns, &mut notes)?;
        let mut rows = Vec::new();
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(useless)?;
            let line = record.position().map_or(0, csv::Position::line);
            let row = places.row(&record, line, columns.delimiter).map_err(|what| {
                Error::file(file, format!("line {line} {what}; correct the table, or name its columns"))
            })?;
            if let Some(first) = lines.insert(row.image.clone(), line) {
                let what = format!("names `{}` twice, in the lines {first} and {line}; remove one", row.image);
                return Err(Error::file(file, what));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err(Error::file(file, "has no rows below its heads"));
        }
        let sides = places.split.map(|at| SidesColumn { table: file.to_path_buf(), column: heads[at].clone() });
        let doubted = places.file_is_guessed.then(|| heads[places.file].clone());
        Ok(LabelTable { file: file.to_path_buf(), rows, doubted, sides, notes })
    }

    /// The images of the table that are in `folder`, with the classes, sides and groups that it gives them. What is
    /// only in the table, or only in the folder, is told in the notes.
    ///
    /// # Errors
    /// As [`find_images`], when none of the table's files is in the folder, and when what should be the head of its
    /// first column is one of them.
    pub fn images_in(&self, folder: &Path) -> Result<LabelledImages> {
        let found = find_images(folder)?;
        let known: BTreeSet<&Path> = found.files.iter().map(PathBuf::as_path).collect();
        let mut by_stem: BTreeMap<PathBuf, Vec<&Path>> = BTreeMap::new();
        for file in &found.files {
            by_stem.entry(file.with_extension("")).or_default().push(file);
        }
        let file_of = |image: &str| {
            let path = folder.join(image.trim_start_matches("./"));
            match known.get(path.as_path()) {
                Some(file) => Some(*file),
                // Many tables leave the extension away.
                None => match by_stem.get(&path).map(Vec::as_slice) {
                    Some([file]) if !has_image_extension(&path) => Some(*file),
                    _ => None,
                },
            }
        };
        if let Some((head, photo)) = self.doubted.as_deref().and_then(|head| Some((head, file_of(head)?))) {
            return Err(no_heads(&self.file, head, &format!("the photo {}", photo.display())));
        }
        let (mut images, mut missing, mut used) = (Vec::new(), Vec::new(), BTreeSet::new());
        for row in &self.rows {
            let Some(file) = file_of(&row.image) else {
                missing.push(row);
                continue;
            };
            if !used.insert(file) {
                let what = format!("names {} in line {} and in another one; remove one", file.display(), row.line);
                return Err(Error::file(&self.file, what));
            }
            let Row { labels, side, group, .. } = row.clone();
            images.push(LabelledImage { file: file.to_path_buf(), labels, side, group });
        }
        let table = self.file.display();
        if images.is_empty() {
            let (n, first) = (self.rows.len(), self.rows.first().map_or("", |row| &row.image));
            let what = format!("names {n} files, and none of them, such as `{first}`, is in {}", folder.display());
            // The same name in another place tells what the table leaves out, or has too much.
            let name = Path::new(first).file_name();
            let elsewhere = found.files.iter().find(|file| name.is_some() && file.file_name() == name);
            let below = elsewhere.and_then(|file| file.strip_prefix(folder).ok());
            let hint = below.map(|below| format!(", but `{}` is: write paths below that folder", below.display()));
            return Err(Error::file(&self.file, what + &hint.unwrap_or_default()));
        }
        let mut notes = [found.notes(), self.notes.clone()].concat();
        let listed = |n: usize, names: Vec<&str>| {
            let more = if n > names.len() { ", ..." } else { "" };
            format!("{}{more}", names.join(", "))
        };
        if !missing.is_empty() {
            let names = missing.iter().take(3).map(|row| row.image.as_str()).collect();
            let (n, names) = (missing.len(), listed(missing.len(), names));
            notes.push(format!(
                "{table}: {n} of {} rows name files that are not in the folder ({names})",
                self.rows.len()
            ));
        }
        let unlabelled: Vec<&PathBuf> = found.files.iter().filter(|file| !used.contains(file.as_path())).collect();
        if !unlabelled.is_empty() {
            let (n, names) = (unlabelled.len(), super::find::some_names(&unlabelled));
            notes.push(format!("{table}: {n} pictures of the folder are not in the table and are left out ({names})"));
        }
        images.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(LabelledImages { images, notes, sides: self.sides.clone() })
    }
}

fn has_image_extension(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// The error about a table whose first line is `head` and others like it, which names `what`.
fn no_heads(table: &Path, head: &str, what: &str) -> Error {
    let remedy = "write a line of heads above it, such as `file,label`, by which the columns are known";
    Error::file(table, format!("begins with `{head}`, which is {what} and no head of a column: {remedy}"))
}

/// Where the columns are.
struct Places {
    file: usize,
    /// Whether neither its head nor the user says that it is the column of the files.
    file_is_guessed: bool,
    label: usize,
    split: Option<usize>,
    split_is_flag: bool,
    group: Option<usize>,
}

impl Places {
    /// Where the columns are, with notes on choices that were made among several.
    fn of(file: &Path, heads: &[String], columns: &TableColumns, notes: &mut Vec<String>) -> Result<Places> {
        let unnamed = columns.file.is_none() && columns.label.is_none();
        if let Some(head) = heads.iter().find(|head| unnamed && has_image_extension(Path::new(head))) {
            return Err(no_heads(file, head, "the name of a picture"));
        }
        let shown = heads.join(", ");
        let named = |name: &str| {
            heads
                .iter()
                .position(|head| head == name)
                .ok_or_else(|| Error::file(file, format!("has no column `{name}`; its columns are {shown}")))
        };
        let is_usual = |at: &usize, known: &[&str]| {
            let head = heads[*at].to_lowercase().replace([' ', '-'], "_");
            known.contains(&head.as_str()) || known.contains(&head.trim_end_matches('s'))
        };
        // The first column of such a head, besides those that are something else.
        let mut usual = |what: &str, known: &[&str], others: &[usize]| {
            let mut all = (0..heads.len()).filter(|at| !others.contains(at) && is_usual(at, known));
            let first = all.next()?;
            let more: Vec<String> = all.map(|at| format!("`{}`", heads[at])).collect();
            if !more.is_empty() {
                let (table, taken, more) = (file.display(), &heads[first], more.join(", "));
                notes.push(format!(
                    "{table}: {what} is taken from the column `{taken}`, and not from {more}, whose head tells the \
                     same: name the column if it is another"
                ));
            }
            Some(first)
        };
        let by_head = if columns.file.is_none() { usual("the file", &FILE_HEADS, &[]) } else { None };
        let file_at = match &columns.file {
            Some(name) => named(name)?,
            None => by_head.unwrap_or(0),
        };
        let label = match &columns.label {
            Some(name) => named(name)?,
            None => {
                let only_other = (heads.len() == 2).then_some(1 - file_at.min(1));
                usual("the class", &LABEL_HEADS, &[file_at]).or(only_other).ok_or_else(|| {
                    let what = format!("does not say which of its columns ({shown}) holds the class; name it");
                    Error::file(file, what)
                })?
            }
        };
        let split = match &columns.split {
            Some(name) => Some(named(name)?),
            None => usual("the side", &SPLIT_HEADS, &[file_at, label]),
        };
        let group = columns.group.as_deref().map(named).transpose()?;
        let split_is_flag = split.is_some_and(|at| heads[at].to_lowercase().ends_with("valid"));
        let file_is_guessed = columns.file.is_none() && by_head.is_none();
        let label_is_guessed = columns.label.is_none() && !is_usual(&label, &LABEL_HEADS);
        let guesses = [("file", file_at, file_is_guessed), ("class", label, label_is_guessed)];
        let guessed = guesses.into_iter().filter(|(_, _, is_guessed)| *is_guessed);
        let guessed: Vec<String> = guessed.map(|(what, at, _)| format!("`{}` as the {what}", heads[at])).collect();
        if !guessed.is_empty() {
            let (table, guessed) = (file.display(), guessed.join(" and "));
            notes.push(format!("{table}: takes the column {guessed}, by its place, since its head does not tell"));
        }
        Ok(Places { file: file_at, file_is_guessed, label, split, split_is_flag, group })
    }

    fn row(&self, record: &csv::StringRecord, line: u64, delimiter: Option<char>) -> Result<Row, String> {
        let cell = |at: usize| record.get(at).unwrap_or_default().to_string();
        let (image, label) = (cell(self.file), cell(self.label));
        if image.is_empty() {
            return Err("has an empty cell where the file should be".into());
        }
        let labels: Vec<String> = match delimiter {
            // No class at all is an answer too, where there may be several.
            Some(delimiter) => {
                let labels: BTreeSet<&str> = label.split(delimiter).map(str::trim).filter(|l| !l.is_empty()).collect();
                labels.into_iter().map(str::to_string).collect()
            }
            None if label.is_empty() => {
                let several = "where photos may show none or several, say so (`tallow train --multi-label`)";
                return Err(format!("gives `{image}` no class, though each has one; {several}"));
            }
            None => vec![label],
        };
        let side = match self.split.map(cell) {
            Some(word) if self.split_is_flag => Some(flag(&word)?),
            Some(word) => Some(
                Side::of_folder(&word)
                    .ok_or_else(|| format!("puts `{image}` on the side `{word}`; expected train, valid or test"))?,
            ),
            None => None,
        };
        let group = self.group.map(cell);
        if group.as_deref() == Some("") {
            return Err(format!("gives `{image}` no group"));
        }
        Ok(Row { line, image: image.replace('\\', "/"), labels, side, group })
    }
}

/// The side of an image whose cell says whether it is for validation.
pub(super) fn flag(word: &str) -> Result<Side, String> {
    match word.to_lowercase().as_str() {
        "1" | "true" | "yes" | "t" | "y" => Ok(Side::Valid),
        "0" | "false" | "no" | "f" | "n" | "" => Ok(Side::Train),
        _ => Err(format!("has `{word}` where it should say whether the image is for validation: true or false")),
    }
}
