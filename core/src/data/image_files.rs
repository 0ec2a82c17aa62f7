//! Finding pictures, and finding out which of them can be read.

use crate::error::{Error, Result};
use crate::vision::{EXTENSIONS, Image, Resize};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All pictures under `folder`, in subfolders too, sorted, so that every machine sees the same order. A file counts by
/// its extension (bmp, gif, jpeg, jpg, png, webp and rarer ones); hidden files and folders do not. fast.ai's
/// `get_image_files`.
///
/// # Errors
/// When a folder cannot be read, or there is no picture at all.
pub fn image_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Err(Error::file(folder, "is not there; expected a folder of pictures"));
    }
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in visible(&folder)? {
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            if path.is_dir() {
                folders.push(path);
            } else if extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        let known = EXTENSIONS.join(", ");
        return Err(Error::file(folder, format!("holds no picture ({known}), nor do its subfolders")));
    }
    found.sort();
    Ok(found)
}

/// The folders under `folder` in which there is nothing at all to be seen: classes without a picture, often.
///
/// # Errors
/// When a folder cannot be read.
pub fn empty_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut empty = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = visible(&folder)?;
        if entries.is_empty() {
            empty.push(folder);
        }
        folders.extend(entries.into_iter().filter(|path| path.is_dir()));
    }
    empty.sort();
    Ok(empty)
}

/// What a folder holds, without what is hidden.
fn visible(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let paths = entries.map(|entry| Ok(entry.map_err(Error::io(folder))?.path()));
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    paths.filter(|path| !path.as_ref().is_ok_and(|path| hidden(path))).collect()
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
    in_parallel(files, check).into_iter().flatten().collect()
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
    let results = in_parallel(&files, |file| {
        let place = target.join(file.strip_prefix(source).unwrap_or(file));
        resize_image(file, &place, max_size)
    });
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
            tallow_datasets::atomic::write(place, bytes)?;
        }
        return Ok(Ok(false));
    }
    let side = |size: usize| (size * max_size / w.max(h)).max(1);
    let resize = Resize::squish(0).size(side(w), side(h));
    picture.resize(resize)?.save(place)?;
    Ok(Ok(true))
}

/// `f` of each item, in order, on all processors.
fn in_parallel<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((i, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, items.get(i)?)))
                {
                    let result = f(item);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((i, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_unstable_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}
