//! Published weights: found on this machine, or fetched from the Hugging Face Hub.
//!
//! [`pretrained`] builds a network that has learnt ImageNet. Its weights are looked for, in this order,
//!
//! 1. where a user may put them by hand, `weights/resnet34.safetensors` or `.pth` in the data folder;
//! 2. inside the program: EfficientNet-Lite0, with the feature `efficientnet-lite0`;
//! 3. in the Hub's cache, which Python's `huggingface_hub` shares, under a pinned commit;
//! 4. in PyTorch's cache, where torchvision puts what it downloads;
//! 5. on the Hub, with the feature `hub` and unless the network is out of bounds ([`HubConfig`]).
//!
//! What is fetched is checked against its size and sha256 before it gets its name. What is not there is an error that says
//! which file to put where.

mod cache;
mod config;
#[cfg(feature = "hub")]
mod download;
mod pretrained;

pub use config::{HubConfig, Token};
pub use pretrained::{PretrainedNetwork, PublishedWeights, Source, pretrained, weights};

use super::zoo::WeightFile;
use crate::error::{Error, Result};
use crate::event::Listener;
use std::path::{Path, PathBuf};
use tallow_datasets::megabytes;

/// A file of a model repository on the Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubFile<'a> {
    /// Owner and name: `timm/resnet34.tv_in1k`.
    pub repo: &'a str,
    /// The file's path in it: `model.safetensors`.
    pub file: &'a str,
    /// The commit, 40 hexadecimal digits; `None` for what `main` stands at, which may be another file tomorrow.
    pub revision: Option<&'a str>,
    /// Its length, where it is known.
    pub bytes: Option<u64>,
    /// Its sha256 in lower-case hexadecimal, where it is known.
    pub sha256: Option<&'a str>,
}

impl From<&WeightFile> for HubFile<'static> {
    fn from(file: &WeightFile) -> HubFile<'static> {
        let WeightFile { repo, file, revision, bytes, sha256, .. } = *file;
        HubFile { repo, file, revision, bytes, sha256 }
    }
}

impl HubFile<'_> {
    /// Where a browser gets it.
    pub fn url(&self, config: &HubConfig) -> String {
        format!("{}/{}/resolve/{}/{}", config.endpoint, self.repo, self.revision.unwrap_or(cache::MAIN), self.file)
    }

    /// Where it is on this machine, once it is there, under its own name. Copied to this place by hand it is found too.
    pub fn path(&self, config: &HubConfig) -> PathBuf {
        let folder = cache::folder(&config.cache, self.repo);
        cache::snapshot(&folder, self.revision.unwrap_or(cache::MAIN), self.file)
    }

    fn size(&self) -> String {
        self.bytes.map(|bytes| format!(" ({})", megabytes(bytes))).unwrap_or_default()
    }

    fn check(&self) -> Result<()> {
        let repo = self.repo.split_once('/').is_some_and(|(_, name)| !name.contains('/'));
        if !repo || !cache::stays_inside(self.repo) || !cache::stays_inside(self.file) {
            let what = format!(
                "`{}` in `{}` is no file on the Hub; a repository is an owner and a name",
                self.file, self.repo
            );
            return Err(Error::Value(what));
        }
        match self.revision {
            Some(revision) if revision.len() != 40 || !cache::is_name(revision) => {
                Err(Error::Value(format!("`{revision}` is no commit; one has 40 hexadecimal digits")))
            }
            _ => Ok(()),
        }
    }
}

/// The path of a file on the Hub: that of the cached one, if it is there and right, else after fetching it. The listener
/// is told how far that is.
///
/// # Errors
/// [`Error::Hub`] where it is not on this machine and cannot be fetched, and where what is there or came is not what it
/// should be; [`Error::Value`] for a name that no file has; [`Error::Interrupted`].
pub fn fetch(file: &HubFile, config: &HubConfig, listener: &Listener) -> Result<PathBuf> {
    get(file, config, listener, &file.path(config))
}

/// As [`fetch`], for a file that may be put at `by_hand`.
fn get(file: &HubFile, config: &HubConfig, listener: &Listener, by_hand: &Path) -> Result<PathBuf> {
    match cached(file, config)? {
        Cached::Whole(path) => Ok(path),
        Cached::Missing => bring(file, config, listener, by_hand, None),
        Cached::Damaged(path, damage) => {
            let what = format!("{} is damaged: expected {}, got {}", path.display(), damage.expected, damage.got);
            bring(file, config, listener, by_hand, Some(what))
        }
    }
}

/// What the cache has of a file.
enum Cached {
    Whole(PathBuf),
    Missing,
    Damaged(PathBuf, cache::Damage),
}

fn cached(file: &HubFile, config: &HubConfig) -> Result<Cached> {
    file.check()?;
    let Some(path) = cache::find(&config.cache, file) else { return Ok(Cached::Missing) };
    Ok(match cache::damage(&path, file)? {
        None => Cached::Whole(path),
        Some(damage) => Cached::Damaged(path, damage),
    })
}

/// Why a file could not be fetched.
enum Failure {
    /// The fault is on this machine, or the user stopped it.
    #[cfg(feature = "hub")]
    Ours(Error),
    /// The Hub, or what is between it and us. The second text is a remedy before the last one, getting it by hand.
    Theirs(String, Option<String>),
}

/// Fetches a file that is not on this machine, or whose cached copy is damaged in the way that is told.
fn bring(
    file: &HubFile,
    config: &HubConfig,
    listener: &Listener,
    by_hand: &Path,
    damaged: Option<String>,
) -> Result<PathBuf> {
    let failure = if config.offline {
        let what = damaged.unwrap_or_else(|| "it is not on this machine".into());
        let off = "and the network is out of bounds (--offline or HF_HUB_OFFLINE)";
        Failure::Theirs(format!("{what}, {off}"), Some("run without them".into()))
    } else {
        match download(file, config, listener) {
            Ok(path) => return Ok(path),
            Err(failure) => failure,
        }
    };
    match failure {
        #[cfg(feature = "hub")]
        Failure::Ours(error) => Err(error),
        Failure::Theirs(what, first) => {
            let or = first.map(|first| format!("{first}, or ")).unwrap_or_default();
            Err(Error::Hub {
                file: format!("{}{} of {}", file.file, file.size(), file.repo),
                what,
                remedy: format!("{or}download {} elsewhere and put it at {}", file.url(config), by_hand.display()),
            })
        }
    }
}

#[cfg(feature = "hub")]
fn download(file: &HubFile, config: &HubConfig, listener: &Listener) -> Result<PathBuf, Failure> {
    download::download(file, config, listener)
}

#[cfg(not(feature = "hub"))]
fn download(_: &HubFile, _: &HubConfig, _: &Listener) -> Result<PathBuf, Failure> {
    let what = "it is not on this machine, and this program was built without the feature `hub`, which fetches it";
    Err(Failure::Theirs(what.into(), Some("rebuild with `--features hub`".into())))
}
