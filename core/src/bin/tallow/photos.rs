//! Photos with their classes, as the command line names them.

use crate::settings;
use std::path::{Path, PathBuf};
use tallow::data::{LabelTable, LabelledImages, TableColumns, path_label, regex_label};
use tallow::{Error, Result};

/// Which photos, and what tells their classes.
#[derive(Debug, clap::Args, serde::Serialize)]
pub(crate) struct PhotoArgs {
    /// Photos: a folder for each class, perhaps in folders named `train`, `valid` (or `val`, `dev`, ...) and `test`
    #[arg(value_name = "PHOTOS", help_heading = None::<&'static str>)]
    #[serde(serialize_with = "settings::path")]
    pub(crate) photos: PathBuf,

    /// A CSV table that gives the photos their classes instead; its columns are found by their usual heads (file,
    /// label, split, ...) or named by the next options
    #[arg(long, value_name = "FILE", conflicts_with = "label_regex", help_heading = "Classes and sides")]
    #[serde(serialize_with = "settings::some_path")]
    labels: Option<PathBuf>,

    /// The table's column with the file, relative to PHOTOS
    #[arg(long, value_name = "NAME", requires = "labels", help_heading = "Classes and sides")]
    file_column: Option<String>,

    /// The table's column with the class
    #[arg(long, value_name = "NAME", requires = "labels", help_heading = "Classes and sides")]
    label_column: Option<String>,

    /// The table's column with the side: train, valid or test
    #[arg(long, value_name = "NAME", requires = "labels", help_heading = "Classes and sides")]
    split_column: Option<String>,

    /// A photo may show several classes, or none: the table's cells hold any number of them, with SEPARATOR between
    /// them (a blank by default)
    #[arg(
        long,
        value_name = "SEPARATOR",
        requires = "labels",
        num_args = 0..=1,
        default_missing_value = " ",
        help_heading = "Classes and sides"
    )]
    multi_label: Option<char>,

    /// A regular expression that finds the class in a file's name, as its first group in parentheses
    #[arg(long, value_name = "REGEX", help_heading = "Classes and sides")]
    label_regex: Option<String>,
}

/// What belongs together, where training divides the photos.
#[derive(Debug, clap::Args, serde::Serialize)]
#[command(next_help_heading = "Validation")]
pub(crate) struct GroupArgs {
    /// A regular expression that finds in a photo's path below PHOTOS, such as `cat/tom/1.jpg`, what belongs together,
    /// as its first group in parentheses: the animal, the day. Photos of one group stay on one side
    #[arg(long, value_name = "REGEX")]
    group: Option<String>,

    /// The same from a column of the table of `--labels`
    #[arg(long, value_name = "NAME", requires = "labels", conflicts_with = "group")]
    group_column: Option<String>,
}

impl PhotoArgs {
    /// The photos with their classes and sides, and with the groups that they belong to.
    pub(crate) fn read(&self, groups: &GroupArgs) -> Result<LabelledImages> {
        let usage = |option: &'static str| move |e: Error| Error::Usage(format!("{option}: {e}"));
        let images = match (&self.labels, &self.label_regex) {
            (Some(table), _) => {
                let columns = TableColumns {
                    file: self.file_column.clone(),
                    label: self.label_column.clone(),
                    split: self.split_column.clone(),
                    group: groups.group_column.clone(),
                    delimiter: self.multi_label,
                };
                LabelTable::read(table, &columns)?.images_in(&self.photos)?
            }
            (None, Some(regex)) => {
                LabelledImages::from_files(&self.photos, regex_label(regex).map_err(usage("--label-regex"))?)?
            }
            (None, None) => LabelledImages::from_folder(&self.photos)?,
        };
        match &groups.group {
            Some(regex) => images.grouped(path_label(&self.photos, regex).map_err(usage("--group"))?),
            None => Ok(images),
        }
    }

    /// The table of classes, if there is one.
    pub(crate) fn table(&self) -> Option<&Path> {
        self.labels.as_deref()
    }

    /// Whether a photo may show several classes.
    pub(crate) fn is_multi_label(&self) -> bool {
        self.multi_label.is_some()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.photos
    }
}
