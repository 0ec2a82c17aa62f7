//! Finding pictures, and finding out which of them can be read.

use crate::error::{Error, Result};
use crate::vision::{EXTENSIONS, Image, Resize};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tallow_io::atomic;
use walkdir::WalkDir;

/// All pictures under `folder`, in subfolders too, sorted, so that every machine sees the same order. A file counts by
/// its extension (bmp, gif, jpeg, jpg, png, webp and rarer ones); hidden files and folders do not. Links are followed.
/// fast.ai's `get_image_files`.
///
/// # Errors
/// When `folder` is a file, a folder cannot be read, a link leads back to a folder above it, or there is no picture at
/// all.
pub fn image_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Err(Error::file(folder, "is not there; expected a folder of pictures"));
    }
    if !folder.is_dir() {
        return Err(Error::file(folder, "is a file; expected a folder of pictures"));
    }
    let is_image = |file: &Path| {
        let extension = file.extension().map(|e| e.to_string_lossy().to_lowercase());
        extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
    };
    let mut found: Vec<PathBuf> = visible(folder)?
        .into_iter()
        .filter(|(path, is_folder)| !is_folder && is_image(path))
        .map(|(path, _)| path)
        .collect();
    if found.is_empty() {
        let known = EXTENSIONS.join(", ");
        return Err(Error::file(folder, format!("holds no picture ({known}), nor do its subfolders")));
    }
    found.sort();
    Ok(found)
}

/// Folders without any visible entry, `folder` itself included: often classes without images.
///
/// # Errors
/// When a folder cannot be read, or a link leads back to a folder above it.
pub fn empty_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = visible(folder)?;
    let with_entries: BTreeSet<&Path> = entries.iter().filter_map(|(path, _)| path.parent()).collect();
    let subfolders = entries.iter().filter(|(_, is_folder)| *is_folder).map(|(path, _)| path.as_path());
    let folders: BTreeSet<&Path> = std::iter::once(folder).chain(subfolders).collect();
    Ok(folders.difference(&with_entries).map(|path| path.to_path_buf()).collect())
}

/// All that is under a folder and not hidden, links followed, and whether it is a folder.
fn visible(folder: &Path) -> Result<Vec<(PathBuf, bool)>> {
    let is_hidden = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        path != folder && name.to_string_lossy().starts_with('.')
    };
    let walk = WalkDir::new(folder).follow_links(true).into_iter().filter_entry(|entry| !is_hidden(entry.path()));
    let mut found = Vec::new();
    for entry in walk {
        match entry {
            Ok(entry) if entry.depth() == 0 => {}
            Ok(entry) => {
                let is_folder = entry.file_type().is_dir();
                found.push((entry.into_path(), is_folder));
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_path_buf();
                if is_hidden(&path) {
                    continue;
                }
                if let Some(above) = error.loop_ancestor() {
                    let what = format!("is a link back to {}, a folder above it; remove the link", above.display());
                    return Err(Error::file(path, what));
                }
                // A link to nowhere is a file that cannot be read, which is found out when it is opened.
                if path.is_symlink() && !path.exists() {
                    found.push((path, false));
                    continue;
                }
                let source = error.into_io_error().unwrap_or_else(|| ErrorKind::Other.into());
                return Err(Error::Io { path, source });
            }
        }
    }
    Ok(found)
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
/// When a folder cannot be read or a file not be written. A file that is no picture is not an error: it is told.
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

/// Whether it was made smaller, or why the file is no picture.
fn resize_image(file: &Path, place: &Path, max_size: usize) -> Result<Result<bool, BadFile>> {
    let picture = match Image::open(file) {
        Ok(picture) => picture,
        Err(e) => return Ok(Err(BadFile { file: file.to_path_buf(), reason: e.to_string() })),
    };
    let (w, h) = (picture.width(), picture.height());
    if w.max(h) <= max_size {
        if file != place {
            let bytes = std::fs::read(file).map_err(Error::io(file))?;
            atomic::write(place, bytes)?;
        }
        return Ok(Ok(false));
    }
    let side = |size: usize| (size * max_size / w.max(h)).max(1);
    let resize = Resize::squish(0).size(side(w), side(h));
    picture.resize(resize)?.save(place)?;
    Ok(Ok(true))
}
