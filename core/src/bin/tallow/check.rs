//! `tallow check`: which files of a folder are no photos.

use crate::say;
use std::path::PathBuf;
use tallow::data::{find_images, image_files, verify_images};
use tallow::{Error, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder of photos
    #[arg(value_name = "PHOTOS")]
    photos: PathBuf,
}

/// Decodes every file, on all processors, and names those that cannot be.
pub(crate) fn run(args: &Args) -> Result<()> {
    let files = image_files(&args.photos)?;
    for note in find_images(&args.photos)?.notes() {
        say(note)?;
    }
    let bad = verify_images(&files);
    for file in &bad {
        say(&file.reason)?;
    }
    say(format!("{} of {} files are fine", files.len() - bad.len(), files.len()))?;
    match bad.len() {
        0 => Ok(()),
        n => Err(Error::file(&args.photos, format!("holds {n} files that cannot be read; they are named above"))),
    }
}
