//! The Hub's cache on this machine, in the layout of Python's `huggingface_hub`, which uses the same one:
//!
//! ```text
//! models--timm--resnet34.tv_in1k/
//!     blobs/0bb82595...            the bytes, under their sha256
//!     refs/main                    the commit that a branch stood at when it was last asked for
//!     snapshots/1b7b21cc.../model.safetensors -> ../../blobs/0bb82595...
//! ```

use super::HubFile;
use crate::error::Result;
use std::fs;
#[cfg(feature = "hub")]
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use tallow_datasets::hash;

/// The branch that is meant where no commit is given.
pub(super) const MAIN: &str = "main";

/// What a file should be, and what it is.
#[derive(Debug, PartialEq)]
pub(super) struct Damage {
    pub(super) expected: String,
    pub(super) got: String,
}

/// The folder of a repository.
pub(super) fn folder(cache: &Path, repo: &str) -> PathBuf {
    cache.join(format!("models--{}", repo.replace('/', "--")))
}

/// Where a repository's file is, seen from one of its commits.
pub(super) fn snapshot(folder: &Path, commit: &str, file: &str) -> PathBuf {
    folder.join("snapshots").join(commit).join(file)
}

/// Where the bytes with this sha256 (or, for small text files, this git object name) are.
pub(super) fn blob(folder: &Path, id: &str) -> PathBuf {
    folder.join("blobs").join(id)
}

/// The file in the cache, if it is there, whatever its contents: under the pinned commit, or under the commit that the
/// branch was last seen at, or under the branch's own name, where nobody but a user puts it, or under its hash because
/// another commit has the same file.
pub(super) fn find(cache: &Path, file: &HubFile) -> Option<PathBuf> {
    let folder = folder(cache, file.repo);
    let branch = || fs::read_to_string(folder.join("refs").join(MAIN)).ok();
    let commit = file.revision.map(String::from).or_else(branch).map(|commit| commit.trim().to_string());
    let pointer = commit.filter(|commit| is_name(commit)).map(|commit| snapshot(&folder, &commit, file.file));
    let by_hand = file.revision.is_none().then(|| snapshot(&folder, MAIN, file.file));
    let bytes = file.sha256.map(|sha256| blob(&folder, sha256));
    [pointer, by_hand, bytes].into_iter().flatten().find(|path| path.is_file())
}

/// What is wrong with the file at `path`, if anything is: its size, and where that is right its sha256. Hashing takes a
/// fifth of a second for a hundred megabytes, once for each time that weights are loaded.
///
/// # Errors
/// [`crate::Error::Data`] where it cannot be read.
pub(super) fn damage(path: &Path, file: &HubFile) -> Result<Option<Damage>> {
    let bytes = fs::metadata(path).map_err(tallow_datasets::Error::io("read", path))?.len();
    if let Some(expected) = file.bytes.filter(|&expected| expected != bytes) {
        return Ok(Some(Damage { expected: format!("{expected} bytes"), got: format!("{bytes} bytes") }));
    }
    let Some(expected) = file.sha256 else { return Ok(None) };
    let got = hash::file(path)?.sha256;
    let differs = got != expected;
    Ok(differs.then(|| Damage { expected: format!("sha256 {expected}"), got: format!("sha256 {got}") }))
}

/// Whether this may be the name of a file or folder of the cache: hexadecimal digits, as commits and hashes have.
pub(super) fn is_name(name: &str) -> bool {
    (40..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a file's path stays in its repository.
pub(super) fn stays_inside(file: &str) -> bool {
    let parts = Path::new(file).components();
    !file.is_empty()
        && !file.contains(['\\', ':'])
        && parts.into_iter().all(|part| matches!(part, Component::Normal(_)))
}

/// Moves a finished file to its place among the blobs and makes the commit point to it. What stood there is replaced.
///
/// # Errors
/// [`crate::Error::Data`] where the cache cannot be written.
#[cfg(feature = "hub")]
pub(super) fn place(finished: &Path, folder: &Path, id: &str, commit: &str, file: &str) -> Result<PathBuf> {
    let bytes = blob(folder, id);
    let pointer = snapshot(folder, commit, file);
    if let Some(parent) = pointer.parent() {
        fs::create_dir_all(parent).map_err(tallow_datasets::Error::io("create", parent))?;
    }
    fs::rename(finished, &bytes).map_err(tallow_datasets::Error::io("write", &bytes))?;
    match fs::remove_file(&pointer) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(tallow_datasets::Error::io("replace", &pointer)(error).into());
        }
        _ => {}
    }
    if link(&bytes, &pointer, file).is_err() {
        // Links need a permission on some systems. Python then puts the file itself there, as is done here.
        fs::rename(&bytes, &pointer).map_err(tallow_datasets::Error::io("write", &pointer))?;
    }
    Ok(pointer)
}

/// A link that goes on working when the cache is moved: from `snapshots/<commit>/a/b` up to the repository's folder, and
/// down to the blob.
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
