//! A model that `tallow train` left, and the photos to show it.

use std::path::{Path, PathBuf};
use tallow::data::find_images;
use tallow::vision_learner::{Predictor, load_learner_on};
use tallow::{Error, Result, device};

/// Reads an exported model: the folder itself, or the one of the run that holds it.
pub(crate) fn open(folder: &Path, device: &str) -> Result<Predictor> {
    load_learner_on(folder_for(PHOTOS, folder)?, &device::parse(device)?)
}

/// A use of exported models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    command: &'static str,
    /// What they are models of.
    of: &'static str,
    /// What their kinds are called.
    kinds: &'static [&'static str],
}

const PHOTOS: Use = Use {
    command: "tallow predict",
    of: "photos with classes",
    kinds: &["image_classifier", "multi_label_image_classifier"],
};
pub(crate) const MASKS: Use = Use { command: "tallow segment predict", of: "masks", kinds: &["image_segmenter"] };
pub(crate) const TABLES: Use = Use { command: "tallow table predict", of: "tables", kinds: &["tabular"] };
pub(crate) const TEXTS: Use = Use {
    command: "tallow text predict",
    of: "texts with classes",
    kinds: &["text_classifier", "transformer_classifier"],
};
pub(crate) const RATINGS: Use = Use { command: "tallow ratings predict", of: "ratings", kinds: &["collab"] };

/// The folder of an exported model for this use.
///
/// # Errors
/// When the model in it is of another kind; then the command for it is named.
pub(crate) fn folder_for(wanted: Use, named: &Path) -> Result<PathBuf> {
    let folder = folder(named);
    let kind = kind(&folder);
    let uses = [PHOTOS, MASKS, TABLES, TEXTS, RATINGS];
    match uses.into_iter().find(|other| kind.as_deref().is_some_and(|kind| other.kinds.contains(&kind))) {
        Some(other) if other != wanted => {
            let what = format!("is not a model of {}; `{}` uses it", wanted.of, other.command);
            Err(Error::file(folder, what))
        }
        // What is no model at all is told by who reads it.
        _ => Ok(folder),
    }
}

/// The kind of an exported model, if there is one.
pub(crate) fn kind(folder: &Path) -> Option<String> {
    let written: serde_json::Value =
        serde_json::from_slice(&tallow_io::read::bytes(folder.join("learner.json"), tallow_io::read::NOTES).ok()?)
            .ok()?;
    written["kind"].as_str().map(String::from)
}

/// The folder of an exported model: the one that is named, or the one inside of the run that is.
pub(crate) fn folder(named: &Path) -> PathBuf {
    let inside = named.join("model");
    if inside.join("learner.json").is_file() { inside } else { named.to_path_buf() }
}

/// The photos that a command line names.
#[derive(Default)]
pub(crate) struct Named {
    /// Those that are named, and those in the folders that are named.
    pub(crate) files: Vec<PathBuf>,
    /// Folders that hold none, with the reasons.
    pub(crate) without: Vec<(PathBuf, Error)>,
    /// What was passed over in the folders, in sentences.
    pub(crate) notes: Vec<String>,
}

/// Finds the photos that are named.
pub(crate) fn photos(named: &[PathBuf]) -> Named {
    let mut all = Named::default();
    for path in named {
        if !path.is_dir() {
            all.files.push(path.clone());
            continue;
        }
        match find_images(path).and_then(|found| found.require_pictures(path)) {
            Ok(found) => {
                all.notes.extend(found.passed_over_notes());
                all.files.extend(found.files);
            }
            Err(error) => all.without.push((path.clone(), error)),
        }
    }
    all
}
