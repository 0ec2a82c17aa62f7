//! From what is known of the images to the items of each side.

use super::labelled::{LabelledImage, LabelledImages, SidesColumn};
use super::layout::Side;
use super::split::{EveryClassSplitter, split_groups};
use super::{BadFile, Split, Splitter, Vocab, verify_images};
use crate::error::{Error, Result};
use crate::event::Listener;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The items of a folder with their classes, on their sides.
pub(super) struct Collected {
    pub(super) images: Vec<LabelledImage>,
    pub(super) vocab: Vocab,
    /// Indices into the images.
    pub(super) split: Split,
    /// The test set, if the folder or the table names one.
    pub(super) test: Vec<usize>,
    /// Files that cannot be read.
    pub(super) bad: Vec<BadFile>,
    pub(super) notes: Vec<String>,
    /// What there is to say of the split that was chosen, which is not that of cross-validation.
    pub(super) split_notes: Vec<String>,
}

/// How items come to their sides.
pub(super) struct Splitting<'a> {
    pub(super) splitter: Option<&'a dyn Splitter>,
    /// The share for validation, where nothing else says it.
    pub(super) valid_pct: f64,
    pub(super) seed: u64,
    /// Whether an item may have several classes, or none.
    pub(super) is_multi: bool,
}

impl Collected {
    /// Puts images on their sides. If `verify` is set, files that cannot be read are left out before anything is
    /// counted, so that no class has only such.
    pub(super) fn new(
        path: &Path,
        labelled: LabelledImages,
        splitting: &Splitting,
        verify: bool,
        listener: &Listener,
    ) -> Result<Collected> {
        let LabelledImages { mut images, mut notes, sides } = labelled;
        let named: BTreeMap<String, usize> = count_classes(&images);
        let n_valid = on_side(&images, Side::Valid).len();
        let bad = if verify { leave_out_unreadable(path, &mut images, listener)? } else { Vec::new() };
        let left = count_classes(&images);
        for (class, n) in named.iter().filter(|(class, _)| !left.contains_key(*class)) {
            notes.push(format!(
                "class `{class}`: none of its {n} pictures can be read, so it is not a class of the model"
            ));
        }
        if images.is_empty() {
            let what = format!("none of its {} pictures can be read; `tallow check` names them all", bad.len());
            return Err(Error::file(path, what));
        }
        // A random split instead of the one that the data name would be another experiment.
        if splitting.splitter.is_none() && n_valid > 0 && on_side(&images, Side::Valid).is_empty() {
            let what = format!(
                "none of its {n_valid} pictures for validation can be read; `tallow check` names them: repair them, or \
                 move their folder away for a random part of the others"
            );
            return Err(Error::file(path, what));
        }
        let mut split_notes = Vec::new();
        let split = splitting.split(&images, sides.as_ref(), &mut split_notes)?;
        for (side, items) in [("training", &split.train), ("validation", &split.valid)] {
            if let Some(i) = items.iter().find(|&&i| i >= images.len()) {
                return Err(Error::Value(format!("the splitter names item {i} of {}", images.len())));
            }
            if items.is_empty() {
                let n = images.len();
                let what = format!(
                    "of its {n} items the splitter left none for {side}; add images (two of a class or more), or split \
                     them otherwise"
                );
                return Err(Error::file(path, what));
            }
        }
        let used: BTreeSet<usize> = split.train.iter().chain(&split.valid).copied().collect();
        let test = if splitting.splitter.is_some() { Vec::new() } else { on_side(&images, Side::Test) };
        let test = test.into_iter().filter(|i| !used.contains(i)).collect();
        // What is never trained on cannot be told from the rest.
        let vocab = Vocab::new(split.train.iter().flat_map(|&i| images[i].labels.clone()));
        let mut collected = Collected { images, vocab, split, test, bad, notes, split_notes };
        collected.note_unused();
        collected.note_groups();
        collected.leave_out_unknown(splitting.is_multi);
        if collected.split.valid.is_empty() {
            let what = "no item for validation is of a class that is trained on; see which classes both sides have";
            return Err(Error::file(path, what));
        }
        Ok(collected)
    }

    /// Tells of images on no side.
    fn note_unused(&mut self) {
        let used: BTreeSet<usize> =
            self.split.train.iter().chain(&self.split.valid).chain(&self.test).copied().collect();
        let unused: Vec<&Path> =
            (0..self.images.len()).filter(|i| !used.contains(i)).map(|i| self.images[i].file.as_path()).collect();
        if !unused.is_empty() {
            let (n, names) = (unused.len(), super::find::some_names(&unused));
            self.notes.push(format!("{n} pictures are on no side of the split and are left out ({names})"));
        }
    }

    /// Tells how many groups are for validation, and which were torn apart by sides that the data name.
    fn note_groups(&mut self) {
        let mut sides: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for (side, items) in [&self.split.train, &self.split.valid, &self.test].into_iter().enumerate() {
            for group in items.iter().filter_map(|&i| self.images[i].group.as_deref()) {
                sides.entry(group).or_default()[side] += 1;
            }
        }
        let names = |is: &dyn Fn(&[usize; 3]) -> bool| -> Vec<&str> {
            sides.iter().filter(|(_, sides)| is(sides)).map(|(group, _)| *group).collect()
        };
        let some = |groups: &[&str]| {
            let more = if groups.len() > 3 { ", ..." } else { "" };
            groups.iter().take(3).copied().collect::<Vec<&str>>().join(", ") + more
        };
        let (judging, torn) = (names(&|n| n[1] > 0), names(&|n| n.iter().filter(|&&n| n > 0).count() > 1));
        if !sides.is_empty() && torn.is_empty() {
            let (n, k, names) = (sides.len(), judging.len(), some(&judging));
            self.split_notes.push(format!("{k} of {n} groups are for validation ({names})"));
        }
        if !torn.is_empty() {
            let (names, is) = (some(&torn), if torn.len() == 1 { "is" } else { "are" });
            self.notes.push(format!(
                "{} of {} groups {is} on more than one side, as a folder, a table or a splitter says ({names}): the \
                 network is validated on what it knows from training; leave those sides out, and groups stay together",
                torn.len(),
                sides.len()
            ));
        }
    }

    /// Leaves out items of classes that have no training item, and reports it; of several classes the known ones stay.
    fn leave_out_unknown(&mut self, is_multi: bool) {
        let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
        for &i in self.split.valid.iter().chain(&self.test) {
            for label in &self.images[i].labels {
                if self.vocab.index(label).is_err() {
                    *unknown.entry(label.clone()).or_default() += 1;
                }
            }
        }
        if unknown.is_empty() {
            return;
        }
        for (class, n) in &unknown {
            let (pictures, are) = if *n == 1 { ("picture", "is") } else { ("pictures", "are") };
            self.notes.push(format!(
                "class `{class}` has no item to train with, so it is not a class of the model; its {n} {pictures} of \
                 other sides {are} left out"
            ));
        }
        let is_known = |label: &String| !unknown.contains_key(label);
        if is_multi {
            self.images.iter_mut().for_each(|image| image.labels.retain(is_known));
        } else {
            let images = &self.images;
            let all_known = |i: &usize| images[*i].labels.iter().all(is_known);
            self.split.valid.retain(all_known);
            self.test.retain(all_known);
        }
    }
}

impl Splitting<'_> {
    /// Puts the images on their sides. Where `sides` says them, a column that names none to train with or none to
    /// validate on is refused: a split of another kind is not what its maker meant.
    fn split(&self, images: &[LabelledImage], sides: Option<&SidesColumn>, notes: &mut Vec<String>) -> Result<Split> {
        let files: Vec<PathBuf> = images.iter().map(|image| image.file.clone()).collect();
        let labels: Vec<String> = images.iter().map(|image| image.labels.join(" ")).collect();
        if let Some(splitter) = self.splitter {
            return splitter.split_items(&files, &labels);
        }
        let (valid, test) = (on_side(images, Side::Valid), on_side(images, Side::Test));
        let rest: Vec<usize> = {
            let taken: BTreeSet<&usize> = valid.iter().chain(&test).collect();
            (0..images.len()).filter(|i| !taken.contains(i)).collect()
        };
        if let Some(SidesColumn { table, column }) = sides {
            let none = match (rest.is_empty(), valid.is_empty() && test.is_empty()) {
                (true, _) => Some("all of them for other sides, and none to train with"),
                (_, true) => Some("none of them for validation"),
                _ => None,
            };
            if let Some(none) = none {
                let n = images.len();
                let what = format!(
                    "names {n} pictures that can be used, and marks in its column `{column}` {none}: mark some rows, \
                     or leave the column out, or give it another head, for a random part of them"
                );
                return Err(Error::file(table, what));
            }
        }
        if !valid.is_empty() {
            return Ok(Split { train: rest, valid });
        }
        let labels: Vec<String> = rest.iter().map(|&i| labels[i].clone()).collect();
        let groups: Option<Vec<String>> = rest.iter().map(|&i| images[i].group.clone()).collect();
        let split = match &groups {
            Some(groups) => split_groups(groups, &labels, self.valid_pct, self.seed)?,
            // Combinations of classes are too many to be kept in proportion; all items are of one kind.
            None if self.is_multi => self.each_class(&vec![String::new(); labels.len()])?,
            None => self.each_class(&labels)?,
        };
        let share = (self.valid_pct * labels.len() as f64 + 1e-9) as usize;
        if split.valid.len() > share {
            let why = match groups {
                Some(_) => "since groups stay whole",
                None => "so that each class has one there",
            };
            let (k, n) = (split.valid.len(), labels.len());
            notes.push(format!("{k} of {n} items are for validation instead of {share}, {why}"));
        }
        if let Some(SidesColumn { table, column }) = sides {
            let (k, n, table) = (split.valid.len(), labels.len(), table.display());
            notes.push(format!(
                "{table}: the column `{column}` marks none for validation: {k} of the {n} to train with are drawn for \
                 it at random"
            ));
        }
        let original = |items: Vec<usize>| items.into_iter().map(|i| rest[i]).collect();
        Ok(Split { train: original(split.train), valid: original(split.valid) })
    }

    fn each_class(&self, labels: &[String]) -> Result<Split> {
        EveryClassSplitter { valid: self.valid_pct, seed: self.seed }.split_items(&[], labels)
    }
}

fn count_classes(images: &[LabelledImage]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    images.iter().flat_map(|image| &image.labels).for_each(|label| *counts.entry(label.clone()).or_default() += 1);
    counts
}

fn on_side(images: &[LabelledImage], side: Side) -> Vec<usize> {
    (0..images.len()).filter(|&i| images[i].side == Some(side)).collect()
}

/// Files decoded between two reports of progress, and two questions whether to stop.
const CHUNK: usize = 64;

fn leave_out_unreadable(path: &Path, images: &mut Vec<LabelledImage>, listener: &Listener) -> Result<Vec<BadFile>> {
    let files: Vec<PathBuf> = images.iter().map(|image| image.file.clone()).collect();
    let task = listener.task(&format!("reading {}", path.display()), files.len());
    let mut bad = Vec::new();
    for (i, chunk) in files.chunks(CHUNK).enumerate() {
        listener.stop_if_interrupted()?;
        bad.extend(verify_images(chunk));
        task.progress(i * CHUNK + chunk.len(), "");
    }
    let names: BTreeSet<&Path> = bad.iter().map(|bad| bad.file.as_path()).collect();
    images.retain(|image| !names.contains(image.file.as_path()));
    Ok(bad)
}
