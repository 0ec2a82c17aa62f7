//! Images that the page offers to try.

use crate::web;
use axum::body::Bytes;
use std::path::Path;
use tallow::data::find_images;
use tallow::text::visible;
use tallow::vision::Image;
use tallow::{Error, Result};

/// The most that are shown.
const MOST: usize = 12;

/// The longer side of an example, in pixels.
const SIDE: usize = 640;

/// An image that may be tried.
pub(super) struct Example {
    /// The file's name.
    pub(super) name: String,
    /// A PNG, of no more than [`SIDE`] pixels.
    pub(super) png: Bytes,
}

/// Reads images of a folder, spread over its subfolders. One that cannot be read is left out, and told.
pub(super) fn read(folder: &Path) -> Result<Vec<Example>> {
    let found = find_images(folder)?.require_pictures(folder)?;
    let step = found.files.len().div_ceil(MOST).max(1);
    let tell = |error: Error| eprintln!("note: no example: {}", visible(&error.to_string()));
    Ok(found.files.iter().step_by(step).filter_map(|file| example(file).map_err(tell).ok()).collect())
}

fn example(file: &Path) -> Result<Example> {
    let small = web::no_larger(&Image::open(file)?, SIDE)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Example { name, png: Bytes::from(web::png(&small)?) })
}
