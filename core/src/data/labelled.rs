//! Images with what is known of them before they are read.

use super::find::find_images;
use super::layout::{FolderLayout, Side};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Images with their classes, and with the sides and the groups that they belong to. What [`super::DataBlock`] makes of
/// a folder, and what it takes where the classes come from elsewhere ([`super::DataBlock::labelled`]).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelledImages {
    /// The images, sorted by file.
    pub images: Vec<LabelledImage>,
    /// What was passed over or left out, in sentences.
    pub notes: Vec<String>,
    /// The column that says the sides of all of them, if a table has one: then no other split is drawn unasked.
    pub sides: Option<SidesColumn>,
}

/// A table's column of sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidesColumn {
    /// The table's file.
    pub table: PathBuf,
    /// The column's head.
    pub column: String,
}

/// A file, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImage {
    /// The file.
    pub file: PathBuf,
    /// Its classes: one, or for [`super::MultiCategoryBlock`] any number.
    pub labels: Vec<String>,
    /// The side that it was put on, if it was.
    pub side: Option<Side>,
    /// What it belongs to together with others ([`super::GroupSplitter`]), if that is known.
    pub group: Option<String>,
}

impl LabelledImages {
    /// The images of a folder with a folder for each class, and perhaps for each side: see [`FolderLayout`].
    ///
    /// # Errors
    /// As [`super::image_files`] and [`FolderLayout::read`], and when no image is in a class folder.
    pub fn from_folder(folder: &Path) -> Result<LabelledImages> {
        LabelledImages::in_layout(folder, |_| Ok(None))
    }

    /// The images of a folder, of which each file tells its class: [`super::regex_label`], or a function of one's own.
    /// Folders named as sides are sides.
    ///
    /// # Errors
    /// As [`LabelledImages::from_folder`], and when a file tells no class.
    pub fn from_files(folder: &Path, label: impl Fn(&Path) -> Result<String>) -> Result<LabelledImages> {
        LabelledImages::in_layout(folder, |file| Ok(Some(vec![label(file)?])))
    }

    fn in_layout(folder: &Path, label: impl Fn(&Path) -> Result<Option<Vec<String>>>) -> Result<LabelledImages> {
        let found = find_images(folder)?.require_pictures(folder)?;
        let notes = found.notes();
        LabelledImages::of_files(folder, found.files, notes, label)
    }

    /// Those of these files that have a class, by `label` or by their folders.
    pub(super) fn of_files(
        folder: &Path,
        files: Vec<PathBuf>,
        mut notes: Vec<String>,
        label: impl Fn(&Path) -> Result<Option<Vec<String>>>,
    ) -> Result<LabelledImages> {
        let layout = FolderLayout::read(folder, &files)?;
        let (mut images, mut by_folders) = (Vec::with_capacity(files.len()), files.is_empty());
        for (file, placed) in files.into_iter().zip(layout.placed()) {
            let own = label(&file)?;
            by_folders |= own.is_none() || placed.outside;
            let of_folder = || placed.label.clone().map(|label| vec![label]);
            let Some(labels) = own.or_else(of_folder).filter(|_| !placed.outside) else { continue };
            images.push(LabelledImage { file, labels, side: placed.side, group: None });
        }
        if by_folders {
            notes.extend_from_slice(layout.notes());
        }
        if images.is_empty() {
            let what = format!("has no picture in a class folder; {}", notes.join("; "));
            return Err(Error::file(folder, what.trim_end_matches("; ")));
        }
        Ok(LabelledImages { images, notes, sides: None })
    }

    /// The same images, each in the group that `group` finds for its file.
    ///
    /// # Errors
    /// When a file tells no group.
    pub fn grouped(mut self, group: impl Fn(&Path) -> Result<String>) -> Result<LabelledImages> {
        for image in &mut self.images {
            image.group = Some(group(&image.file)?);
        }
        Ok(self)
    }
}
