//! Which file of which repository.

use super::HubConfig;
use super::layout::{self, MAIN};
use crate::error::{Error, Result};
use crate::models::zoo::WeightFile;
use std::path::PathBuf;
use tallow_io::hash::Expected;
use tallow_io::megabytes;

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
        format!("{}/{}/resolve/{}/{}", config.endpoint, self.repo, self.revision.unwrap_or(MAIN), self.file)
    }

    /// Where it is on this machine, once it is there, under its own name. Copied to this place by hand it is found too.
    pub fn path(&self, config: &HubConfig) -> PathBuf {
        let folder = layout::folder(&config.cache, self.repo);
        layout::snapshot(&folder, self.revision.unwrap_or(MAIN), self.file)
    }

    /// What is known of its contents.
    pub(super) fn expected(&self) -> Expected<'_> {
        Expected { bytes: self.bytes, sha256: self.sha256 }
    }

    /// The file for a message, with its size: `model.safetensors (87.3 MB) of timm/resnet34.tv_in1k`.
    pub(super) fn words(&self) -> String {
        let size = self.bytes.map(|bytes| format!(" ({})", megabytes(bytes))).unwrap_or_default();
        format!("{}{size} of {}", self.file, self.repo)
    }

    /// Refuses names that no file on the Hub has.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub(super) fn check(&self) -> Result<()> {
        let names_a_repo = self.repo.split_once('/').is_some_and(|(_, name)| !name.contains('/'));
        let wrong =
            [("repo", !names_a_repo || !layout::stays_inside(self.repo)), ("file", !layout::stays_inside(self.file))];
        if let Some((setting, _)) = wrong.into_iter().find(|(_, wrong)| *wrong) {
            let what = format!(
                "`{}` in `{}` is not a file on the Hub; a repository is an owner and a name",
                self.file, self.repo
            );
            return Err(Error::config(setting, what));
        }
        match self.revision {
            Some(revision) if revision.len() != 40 || !layout::is_name(revision) => {
                let what = format!("`{revision}` is not a commit; one has 40 hexadecimal digits");
                Err(Error::config("revision", what))
            }
            _ => Ok(()),
        }
    }
}
