//! A model that `tallow train` left, and the photos to show it.

use std::path::{Path, PathBuf};
use tallow::data::image_files;
use tallow::vision_learner::{Predictor, load_learner_on};
use tallow::{Error, Result, device};

/// Reads an exported model: the folder itself, or the one of the run that holds it.
pub(crate) fn open(folder: &Path, device: &str) -> Result<Predictor> {
    let inside = folder.join("model");
    let folder = if inside.join("learner.json").is_file() { &inside } else { folder };
    load_learner_on(folder, &device::parse(device)?)
}

/// The photos that are named, and those in the folders that are named; of a folder that holds none, the reason.
pub(crate) fn photos(named: &[PathBuf]) -> (Vec<PathBuf>, Vec<(PathBuf, Error)>) {
    let (mut files, mut without) = (Vec::new(), Vec::new());
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match image_files(path) {
            Ok(found) => files.extend(found),
            Err(error) => without.push((path.clone(), error)),
        }
    }
    (files, without)
}
