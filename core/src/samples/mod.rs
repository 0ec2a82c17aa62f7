//! Small data that need no network, one for each kind of learner: drawings, scenes with masks, tables, ratings. Some
//! are real, others made by a rule that is known, and each says which.
//!
//! ```no_run
//! tallow::samples::penguins().write("penguins")?;
//! # Ok::<(), tallow::Error>(())
//! ```

#[cfg(feature = "drawings")]
mod cut_outs;
#[cfg(feature = "drawings")]
mod drawings;
mod films;
#[cfg(feature = "drawings")]
mod scenes;
#[cfg(feature = "drawings")]
mod texture;

#[cfg(feature = "drawings")]
pub use drawings::drawings;
pub use films::{RatingRule, film_ratings};
#[cfg(feature = "drawings")]
pub use scenes::{SCENE_CODES, scenes};

use crate::error::{Error, Result};
use std::path::Path;
use tallow_datasets::tables;

/// Files that belong together.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What they are, where they come from, and on which terms; a few sentences.
    pub about: String,
    /// Paths, with `/` between their parts, and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Sample {
    /// Writes the files into a folder, which appears when all of them are written; `README.txt` says what they are.
    ///
    /// # Errors
    /// [`Error::Usage`] if the folder is there and not empty; [`Error::Io`] if it cannot be written.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let is_there = folder.symlink_metadata().is_ok();
        let is_empty = || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        if is_there && !is_empty() {
            let what = "is there already; choose another folder, or remove this one";
            return Err(Error::Usage(format!("{}: {what}", folder.display())));
        }
        if is_there {
            std::fs::remove_dir(folder).map_err(Error::io(folder))?; // so that it appears in one step
        }
        let about = format!("{}\n", self.about);
        let about = std::iter::once(("README.txt", about.as_bytes()));
        let files: Vec<(&str, &[u8])> =
            about.chain(self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))).collect();
        Ok(tallow_io::atomic::write_folder(folder, &files)?)
    }
}

/// A table of 344 penguins, `penguins.csv`: its class is the column `species`, its number to predict `body_mass_g`
/// ([`tables::penguins`]).
pub fn penguins() -> Sample {
    Sample {
        about: "344 penguins of the Palmer Archipelago: species, island, four measures and sex; some values are \
                missing. Collected by Kristen Gorman and the Palmer Station LTER, published by Allison Horst; CC0 1.0."
            .into(),
        files: vec![("penguins.csv".into(), tables::penguins().into())],
    }
}

/// A table of 1,461 days in Seattle, `seattle_weather.csv`: its class is the column `weather`
/// ([`tables::seattle_weather`]).
pub fn weather() -> Sample {
    Sample {
        about: "1,461 days in Seattle, 2012 to 2015: precipitation, temperatures, wind, and what the weather was. By \
                the US National Climatic Data Center, in the public domain."
            .into(),
        files: vec![("seattle_weather.csv".into(), tables::seattle_weather().into())],
    }
}
