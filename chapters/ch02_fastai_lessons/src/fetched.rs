//! The source's data where they have been fetched, and what stands in for them.

use std::path::PathBuf;
use tallow::cli::Session;
use tallow::event::Event;
use tallow::samples::{self, Sample};
use tallow::{Error, Result};

/// The folder of a dataset of the manifest, if it has been fetched.
pub(crate) fn fetched(s: &Session, name: &str) -> Result<Option<PathBuf>> {
    match s.data.find(name) {
        Ok(folder) => Ok(Some(folder)),
        Err(error @ tallow_datasets::Error::Missing { .. }) => {
            if s.data.root().join(name).exists() {
                s.listener().tell(Event::Note(&format!("{error}; it is not used")));
            }
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The drawings that are part of the program; for a quick run every third of them.
pub(crate) fn drawings(s: &Session) -> Sample {
    let Sample { about, mut files } = samples::drawings();
    if s.quick {
        files = files.into_iter().step_by(3).collect();
    }
    Sample { about, files }
}

/// Files that are part of the program, written to the run's folder unless an earlier run has done so.
pub(crate) fn written(s: &Session, name: &str, sample: &Sample) -> Result<PathBuf> {
    let folder = s.run.folder().join("data").join(name);
    if !folder.exists() {
        sample.write(&folder)?;
    }
    Ok(folder)
}

/// A folder of this chapter's own, without what an earlier run left there: copies of other images would become classes.
pub(crate) fn emptied(folder: PathBuf) -> Result<PathBuf> {
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&folder)(error)),
        _ => Ok(folder),
    }
}
