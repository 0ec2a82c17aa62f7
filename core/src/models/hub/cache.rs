//! The Hub's cache on this machine: finding a file in it, and placing one there.

use super::HubFile;
use super::layout::{self, MAIN};
#[cfg(feature = "hub")]
use crate::error::{Error, Result};
use std::fs;
#[cfg(feature = "hub")]
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The file in the cache, if it is there, whatever its contents: under the pinned commit, or under the commit that the
/// branch was last seen at, or under the branch's own name, where only users put it, or under its hash because
/// another commit has the same file.
pub(super) fn find(cache: &Path, file: &HubFile) -> Option<PathBuf> {
    let folder = layout::folder(cache, file.repo);
    let branch = || fs::read_to_string(layout::branch(&folder)).ok();
    let commit = file.revision.map(String::from).or_else(branch).map(|commit| commit.trim().to_string());
    let pointer =
        commit.filter(|commit| layout::is_name(commit)).map(|commit| layout::snapshot(&folder, &commit, file.file));
    let by_hand = file.revision.is_none().then(|| layout::snapshot(&folder, MAIN, file.file));
    let bytes = file.sha256.map(|sha256| layout::blob(&folder, sha256));
    [pointer, by_hand, bytes].into_iter().flatten().find(|path| path.is_file())
}

/// Moves a finished file to its place among the blobs and makes the commit point to it. What stood there is replaced.
///
/// # Errors
/// [`Error::Io`] where the cache cannot be written.
#[cfg(feature = "hub")]
pub(super) fn place(finished: &Path, folder: &Path, id: &str, commit: &str, file: &str) -> Result<PathBuf> {
    let bytes = layout::blob(folder, id);
    let pointer = layout::snapshot(folder, commit, file);
    if let Some(parent) = pointer.parent() {
        fs::create_dir_all(parent).map_err(Error::io(parent))?;
    }
    fs::rename(finished, &bytes).map_err(Error::io(&bytes))?;
    match fs::remove_file(&pointer) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::io(&pointer)(error));
        }
        _ => {}
    }
    if link(&bytes, &pointer, file).is_err() {
        // Links need a permission on some systems. Python then puts the file itself there, as is done here.
        fs::rename(&bytes, &pointer).map_err(Error::io(&pointer))?;
    }
    Ok(pointer)
}

/// A link that goes on working when the cache is moved: from `snapshots/<commit>/a/b` up to the repository's folder,
/// and down to the blob.
#[cfg(feature = "hub")]
fn link(bytes: &Path, pointer: &Path, file: &str) -> std::io::Result<()> {
    let mut target = PathBuf::new();
    for _ in 0..Path::new(file).components().count() + 1 {
        target.push("..");
    }
    target.push("blobs");
    target.push(bytes.file_name().unwrap_or_default());
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, pointer);
    #[cfg(windows)]
    return std::os::windows::fs::symlink_file(target, pointer);
    #[cfg(not(any(unix, windows)))]
    return Err(ErrorKind::Unsupported.into());
}
