//! The layout of the Hub's cache on this machine, which is that of Python's `huggingface_hub`:
//!
//! ```text
//! models--timm--resnet34.tv_in1k/
//!     blobs/0bb82595...            the bytes, under their sha256
//!     refs/main                    the commit that a branch stood at when it was last asked for
//!     snapshots/1b7b21cc.../model.safetensors -> ../../blobs/0bb82595...
//! ```

use std::path::{Component, Path, PathBuf};

/// The branch that is meant where no commit is given.
pub(super) const MAIN: &str = "main";

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

/// Where the commit is written down that the branch `main` was last seen at.
pub(super) fn branch(folder: &Path) -> PathBuf {
    folder.join("refs").join(MAIN)
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
