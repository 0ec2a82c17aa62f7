//! Folders `train` and `valid`, made of folders with one class each.

use super::Splitter;
use super::image_files::image_files;
use super::layout::class_of_each;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a file comes to be at a second place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkMode {
    /// Its bytes are copied.
    #[default]
    Copy,
    /// A symbolic link points to it.
    Link,
}

/// Makes `target/train/<class>/...` and `target/valid/<class>/...` of the pictures in `source/<class>/...`, as the
/// splitter says: with a [`StratifiedSplitter`](super::StratifiedSplitter), the same share of each class is for
/// validation. Returns the number of files of each class: training, validation.
///
/// `target` must not exist yet; it appears when all is done and not before.
///
/// # Errors
/// When `target` exists, two files of a class have one name, a picture has no class, or a file cannot be read or
/// written.
pub fn make_train_valid(
    source: &Path,
    target: &Path,
    splitter: &impl Splitter,
    mode: LinkMode,
) -> Result<BTreeMap<String, (usize, usize)>> {
    if target.symlink_metadata().is_ok() {
        return Err(Error::file(target, "exists already; choose a new folder, or remove this one first"));
    }
    let files = image_files(source)?;
    let labels = class_of_each(source, &files)?;
    let split = splitter.split_items(&files, &labels)?;
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(Error::io(parent))?;
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let unfinished = parent.join(format!(".{name}.{}.part", std::process::id()));
    let mut counts = BTreeMap::new();
    let fill = || -> Result<()> {
        for (side, items) in [("train", &split.train), ("valid", &split.valid)] {
            for &i in items {
                let count: &mut (usize, usize) = counts.entry(labels[i].clone()).or_default();
                *(if side == "train" { &mut count.0 } else { &mut count.1 }) += 1;
                put(&files[i], &unfinished.join(side).join(&labels[i]), mode)?;
            }
        }
        std::fs::rename(&unfinished, target).map_err(Error::io(target))
    };
    let mut fill = fill;
    fill().inspect_err(|_| {
        // The first failure is the one to report; what is left has a name that nothing looks at.
        let _ = std::fs::remove_dir_all(&unfinished);
    })?;
    Ok(counts)
}

fn put(file: &Path, folder: &Path, mode: LinkMode) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let to: PathBuf = folder.join(file.file_name().unwrap_or_default());
    if to.symlink_metadata().is_ok() {
        return Err(Error::file(file, "has the name of another file of its class; rename one of them"));
    }
    match mode {
        LinkMode::Copy => std::fs::copy(file, &to).map(|_| ()).map_err(Error::io(file)),
        LinkMode::Link => {
            let file = file.canonicalize().map_err(Error::io(file))?;
            #[cfg(unix)]
            let linked = std::os::unix::fs::symlink(&file, &to);
            #[cfg(windows)]
            let linked = std::os::windows::fs::symlink_file(&file, &to);
            linked.map_err(Error::io(&to))
        }
    }
}
