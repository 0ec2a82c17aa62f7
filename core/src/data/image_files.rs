//! Finding pictures, and finding out which of them can be read.

use super::find::find_images;
use crate::error::{Error, Result};
use crate::vision::{Image, Resize};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use tallow_io::atomic;

/// All pictures under `folder`, in subfolders too, sorted, so that every machine sees the same order. A file counts by
/// its extension ([`EXTENSIONS`](crate::vision::EXTENSIONS)); hidden files and folders do not. What [`find_images`]
/// passes over is passed over here too. fast.ai's `get_image_files`.
///
/// # Errors
/// When `folder` is a file, a folder cannot be read, or it has no picture; then what was passed over is named.
pub fn image_files(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(find_images(folder)?.require_pictures(folder)?.files)
}

/// Folders without any visible entry, `folder` itself included: often classes without images.
///
/// # Errors
/// As [`find_images`].
pub fn empty_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    Ok(find_images(folder)?.empty_folders)
}

/// A file that cannot be read as a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFile {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it and what can be done, as a sentence that begins with the file.
    pub reason: String,
}

/// The files that cannot be read as pictures, with the reasons. All are decoded, on all processors. fast.ai's
/// `verify_images`.
pub fn verify_images(files: &[PathBuf]) -> Vec<BadFile> {
    let check = |file: &PathBuf| Image::open(file).err().map(|e| BadFile { file: file.clone(), reason: e.to_string() });
    files.par_iter().filter_map(check).collect()
}

/// What [`resize_images`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resized {
    /// How many files were larger and are smaller now.
    pub resized: usize,
    /// How many were small enough and are the same bytes as before.
    pub copied: usize,
    /// Which could not be read, and are left out.
    pub bad: Vec<BadFile>,
}

/// Copies all pictures under `source` to the same places under `target`; those whose longer side is more than
/// `max_size` are made that size, in their proportions and format. On all processors. fast.ai's `resize_images`.
///
/// # Errors
/// When a folder cannot be read or a file not be written. A file that is not a picture is not an error: it is reported.
pub fn resize_images(source: &Path, target: &Path, max_size: usize) -> Result<Resized> {
    let files = image_files(source)?;
    let resize = |file: &PathBuf| {
        let place = target.join(file.strip_prefix(source).unwrap_or(file));
        resize_image(file, &place, max_size)
    };
    let results: Vec<_> = files.par_iter().map(resize).collect();
    let mut done = Resized::default();
    for result in results {
        match result? {
            Ok(true) => done.resized += 1,
            Ok(false) => done.copied += 1,
            Err(bad) => done.bad.push(bad),
        }
    }
    Ok(done)
}

/// Whether it was made smaller, or why the file is not a picture.
fn resize_image(file: &Path, place: &Path, max_size: usize) -> Result<Result<bool, BadFile>> {
    let picture = match Image::open(file) {
        Ok(picture) => picture,
        Err(e) => return Ok(Err(BadFile { file: file.to_path_buf(), reason: e.to_string() })),
    };
    let (w, h) = (picture.width(), picture.height());
    if w.max(h) <= max_size {
        if file != place {
            let bytes = tallow_io::read::bytes(file, tallow_io::read::PICTURE).map_err(Error::io(file))?;
            atomic::write(place, bytes)?;
        }
        return Ok(Ok(false));
    }
    let side = |size: usize| (size * max_size / w.max(h)).max(1);
    let resize = Resize::squish(0).size(side(w), side(h));
    picture.resize(resize)?.save(place)?;
    Ok(Ok(true))
}
