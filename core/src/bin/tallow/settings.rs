//! How arguments are written into `config.json`, where serde has no way of its own.

use serde::Serializer;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// As it is shown, and typed: the name of a network.
pub(crate) fn shown<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// A path; one that is no UTF-8 too.
pub(crate) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// A path, if there is one.
pub(crate) fn some_path<S: Serializer>(some: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    match some {
        Some(path) => serializer.collect_str(&path.display()),
        None => serializer.serialize_none(),
    }
}

/// Several paths.
pub(crate) fn paths<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.display().to_string()))
}
