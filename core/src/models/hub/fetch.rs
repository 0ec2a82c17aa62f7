//! One file: the cached one, or else the Hub's.

use super::failure::Failure;
use super::{HubConfig, HubFile, cache};
use crate::error::Result;
use crate::event::Listener;
use std::path::{Path, PathBuf};
use tallow_io::hash::Mismatch;

/// The path of a file on the Hub: that of the cached one, if it is there and right, else after fetching it. The
/// listener is notified of the progress.
///
/// # Errors
/// [`Error::Hub`](crate::Error::Hub) where it is not on this machine and cannot be fetched, and where what is there or
/// came is not what it should be; [`Error::Config`](crate::Error::Config) for a name that no file has;
/// [`Error::Io`](crate::Error::Io) where the cache cannot be read or written;
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn fetch(file: &HubFile, config: &HubConfig, listener: &Listener) -> Result<PathBuf> {
    fetch_or_name(file, config, listener, &file.path(config))
}

/// The same for a file that may be put at `by_hand`.
pub(super) fn fetch_or_name(
    file: &HubFile,
    config: &HubConfig,
    listener: &Listener,
    by_hand: &Path,
) -> Result<PathBuf> {
    let damaged = match cached(file, config)? {
        Cached::Whole(path) => return Ok(path),
        Cached::Missing => None,
        Cached::Damaged(path, Mismatch { expected, got }) => {
            Some(format!("{} is damaged: expected {expected}, got {got}", path.display()))
        }
    };
    let fetched = if config.offline { Err(offline(damaged)) } else { download(file, config, listener) };
    fetched.map_err(|failure| failure.into_error(file, config, by_hand))
}

/// What the cache has of a file.
pub(super) enum Cached {
    Whole(PathBuf),
    Missing,
    Damaged(PathBuf, Mismatch),
}

/// Looks for a file in the cache.
pub(super) fn cached(file: &HubFile, config: &HubConfig) -> Result<Cached> {
    file.check()?;
    let Some(path) = cache::find(&config.cache, file) else { return Ok(Cached::Missing) };
    Ok(match file.expected().differs_from_file(&path)? {
        None => Cached::Whole(path),
        Some(mismatch) => Cached::Damaged(path, mismatch),
    })
}

fn offline(damaged: Option<String>) -> Failure {
    let what = damaged.unwrap_or_else(|| "it is not on this machine".into());
    let off = "and the network is out of bounds (--offline or HF_HUB_OFFLINE)";
    Failure::Theirs { what: format!("{what}, {off}"), remedy: Some("run without them".into()) }
}

#[cfg(feature = "hub")]
fn download(file: &HubFile, config: &HubConfig, listener: &Listener) -> Result<PathBuf, Failure> {
    super::download::download(file, config, listener)
}

#[cfg(not(feature = "hub"))]
fn download(_: &HubFile, _: &HubConfig, _: &Listener) -> Result<PathBuf, Failure> {
    let what = "it is not on this machine, and this program was built without the feature `hub`, which fetches it";
    Err(Failure::Theirs { what: what.into(), remedy: Some("rebuild with `--features hub`".into()) })
}
