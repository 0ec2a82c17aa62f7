//! A model that `tallow train` left, and the photos to show it.

use std::path::{Path, PathBuf};
use tallow::data::find_images;
use tallow::vision_learner::{Predictor, load_learner_on};
use tallow::{Error, Result, device};

/// Reads an exported model: the folder itself, or the one of the run that holds it.
pub(crate) fn open(folder: &Path, device: &str) -> Result<Predictor> {
    let folder = self::folder(folder);
    if let Some(command) = command_of(&folder) {
        let what = format!("is not a model of photos with classes; `{command}` uses it");
        return Err(Error::file(folder, what));
    }
    load_learner_on(folder, &device::parse(device)?)
}

/// The command that uses an exported model of another kind.
fn command_of(folder: &Path) -> Option<&'static str> {
    match kind(folder)?.as_str() {
        "image_segmenter" => Some("tallow segment predict"),
        "tabular" => Some("tallow table predict"),
        "text_classifier" | "transformer_classifier" => Some("tallow text predict"),
        "collab" => Some("tallow ratings predict"),
        _ => None,
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
