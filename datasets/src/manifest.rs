//! The list of datasets: names, licences, sources, sizes and hashes, read from `datasets/manifest.toml`.
#![warn(clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};

/// A list of datasets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The datasets, in the order of the file.
    #[serde(rename = "dataset")]
    pub datasets: Vec<Dataset>,
}

/// A dataset: one folder of files under one licence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// The name on the command line, and of its folder in the data folder.
    pub name: String,
    /// What it is, in one line.
    pub title: String,
    /// The licence's short name.
    pub licence: String,
    /// Where the licence or the terms of use can be read.
    pub licence_url: String,
    /// Whom to credit.
    pub credit: String,
    /// What the folder holds once everything is there, in one line.
    pub layout: String,
    /// Whether it is so large that it is only fetched when it is asked for by name.
    #[serde(default)]
    pub large: bool,
    /// What is downloaded, with the files of all trees.
    #[serde(rename = "file", default)]
    pub files: Vec<Entry>,
    /// Many files below one address. Their entries are among `files` too.
    #[serde(rename = "tree", default)]
    pub trees: Vec<Tree>,
}

/// Many files below one address, such as the photos of a folder in a repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Addresses that a file's path is appended to, best first.
    pub bases: Vec<String>,
    /// A line for each file: its sha256, its size in bytes, its path.
    pub list: String,
}

/// One file of a dataset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The path inside the dataset's folder, with `/` between its parts.
    pub name: String,
    /// Where it can be had, best first.
    pub sources: Vec<FileSource>,
    /// Size as published.
    pub bytes: u64,
    /// The sha256 as published, 64 hexadecimal digits; without it only the size can be checked.
    pub sha256: Option<String>,
    /// For a `.gz` that is kept as it is: the sha256 of what is inside.
    pub content_sha256: Option<String>,
    /// Whether the file is an archive to be unpacked into the dataset's folder, and then removed.
    #[serde(default)]
    pub unpack: Unpack,
    /// How many leading folders to drop from each path in the archive.
    #[serde(default)]
    pub strip: usize,
    /// Files or folders that the archive brings; where they are all there, it counts as unpacked.
    #[serde(default)]
    pub provides: Vec<String>,
    /// The most bytes that the archive may unpack to; without it, ten times its size.
    pub max_unpacked_bytes: Option<u64>,
    /// The most files that the archive may hold.
    #[serde(default = "default_max_files")]
    pub max_unpacked_files: u64,
}

fn default_max_files() -> u64 {
    100_000
}

/// What is done with a file once it is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unpack {
    /// It is kept as it is.
    #[default]
    None,
    /// A gzipped tar archive: its contents take its place.
    Tgz,
    /// A zip archive: its contents take its place.
    Zip,
}

/// Where a file can be had.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a source is a URL, or { repo, file, revision } of a Hugging Face dataset")]
pub enum FileSource {
    /// An address: `https://`, or `http://` on this machine.
    Url(String),
    /// A file of a Hugging Face dataset, at one commit.
    Hub(ManifestHubFile),
}

/// A file of a Hugging Face dataset repository, at one commit, so that it cannot change under us.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestHubFile {
    /// `owner/name`.
    pub repo: String,
    /// The path in the repository.
    pub file: String,
    /// The commit, 40 hexadecimal digits.
    pub revision: String,
}

impl FileSource {
    /// The address to download from. `HF_ENDPOINT` replaces the Hugging Face site's own.
    pub fn url(&self) -> String {
        match self {
            FileSource::Url(url) => url.clone(),
            FileSource::Hub(ManifestHubFile { repo, file, revision }) => {
                let endpoint = std::env::var("HF_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
                let endpoint = endpoint.as_deref().unwrap_or("https://huggingface.co").trim_end_matches('/');
                format!("{endpoint}/datasets/{repo}/resolve/{revision}/{file}")
            }
        }
    }
}

impl Manifest {
    /// The list that is part of the program: `datasets/manifest.toml`.
    ///
    /// # Errors
    /// [`Error::Manifest`] where that file is wrong, which a test rules out.
    pub fn builtin() -> Result<Manifest> {
        Manifest::parse(include_str!("../manifest.toml"), "datasets/manifest.toml")
    }

    /// Reads another list, for tests and for private datasets.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read; [`Error::Manifest`], naming the line, where it is wrong.
    pub fn read(path: impl AsRef<Path>) -> Result<Manifest> {
        let path = path.as_ref();
        let text = tallow_io::read::text(path, tallow_io::read::NOTES).map_err(Error::io("read", path))?;
        Manifest::parse(&text, &path.display().to_string())
    }

    /// Reads a list from text; `origin` stands for the file in messages.
    ///
    /// # Errors
    /// [`Error::Manifest`]: with the line where the text is not TOML or lacks a field; with the dataset and file where
    /// a value makes no sense.
    pub fn parse(text: &str, origin: &str) -> Result<Manifest> {
        let wrong = |what: String| Error::Manifest { origin: origin.into(), what };
        let mut manifest: Manifest =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().into()))?;
        for dataset in &mut manifest.datasets {
            let entries = dataset.trees.iter().map(Tree::entries).collect::<Result<Vec<_>, _>>();
            let entries = entries.map_err(|what| wrong(format!("dataset `{}`: {what}", dataset.name)))?;
            dataset.files.extend(entries.into_iter().flatten());
        }
        let mut names = BTreeSet::new();
        for dataset in &manifest.datasets {
            if !names.insert(&dataset.name) {
                return Err(wrong(format!("dataset `{}` is listed twice", dataset.name)));
            }
            dataset.check().map_err(|what| wrong(format!("dataset `{}`: {what}", dataset.name)))?;
        }
        Ok(manifest)
    }

    /// The dataset called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownDataset`], listing the names there are.
    pub fn get(&self, name: &str) -> Result<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.name == name).ok_or_else(|| Error::UnknownDataset {
            name: name.into(),
            known: self.datasets.iter().map(|dataset| dataset.name.clone()).collect(),
        })
    }
}

impl Dataset {
    /// Size of the whole download, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.bytes))
    }

    /// The [`Error::Missing`] that says how to get this dataset into `folder`; `entry` is the file that is not there,
    /// if it is one in particular.
    pub fn missing(&self, folder: &Path, entry: Option<&Entry>) -> Error {
        let entry = entry.or(self.files.first());
        Error::Missing {
            dataset: self.name.clone(),
            folder: folder.to_path_buf(),
            file: entry.map(|entry| entry.name.clone()).unwrap_or_default(),
            bytes: self.bytes(),
            url: entry.map(Entry::url).unwrap_or_default(),
        }
    }

    fn check(&self) -> Result<(), String> {
        if safe_path(&self.name).is_none_or(|path| path.components().count() != 1) {
            return Err("the name must be a plain folder name".into());
        }
        if self.files.is_empty() {
            return Err("lists no file".into());
        }
        if self.bytes() > MOST_BYTES {
            return Err(format!("its files have {} bytes in all, and at most {MOST_BYTES} can be", self.bytes()));
        }
        let mut names = BTreeSet::new();
        for entry in &self.files {
            if !names.insert(&entry.name) {
                return Err(format!("file `{}` is listed twice", entry.name));
            }
            let mut folders = Path::new(&entry.name).ancestors().skip(1).filter_map(Path::to_str);
            if let Some(folder) = folders.find(|folder| self.files.iter().any(|other| other.name == *folder)) {
                return Err(format!("file `{}` is in the folder `{folder}`, which is a file too", entry.name));
            }
            entry.check().map_err(|what| format!("file `{}`: {what}", entry.name))?;
        }
        Ok(())
    }
}

impl Tree {
    fn entries(&self) -> Result<Vec<Entry>, String> {
        self.list.lines().filter(|line| !line.trim().is_empty()).map(|line| self.entry(line)).collect()
    }

    fn entry(&self, line: &str) -> Result<Entry, String> {
        let mut words = line.split_whitespace();
        let (sha256, bytes, name) = (words.next(), words.next().and_then(|n| n.parse().ok()), words.next());
        let (Some(sha256), Some(bytes), Some(name), None) = (sha256, bytes, name, words.next()) else {
            return Err(format!("`{line}` must be a sha256, a number of bytes and a path without spaces"));
        };
        let source = |base: &String| FileSource::Url(format!("{}/{name}", base.trim_end_matches('/')));
        Ok(Entry {
            name: name.into(),
            sources: self.bases.iter().map(source).collect(),
            bytes,
            sha256: Some(sha256.into()),
            content_sha256: None,
            unpack: Unpack::None,
            strip: 0,
            provides: Vec::new(),
            max_unpacked_bytes: None,
            max_unpacked_files: default_max_files(),
        })
    }
}

impl Entry {
    /// The address of the first source.
    pub fn url(&self) -> String {
        self.sources.first().map(FileSource::url).unwrap_or_default()
    }

    /// The most bytes that unpacking may write.
    pub fn unpacked_limit(&self) -> u64 {
        self.max_unpacked_bytes.unwrap_or(self.bytes.saturating_mul(10))
    }

    fn check(&self) -> Result<(), String> {
        if safe_path(&self.name).is_none() {
            return Err("the name must be a relative path of plain names, without `..` and control characters".into());
        }
        if let Some(ending) = [".part", ".sha256", ".lock", ".unpacking"].iter().find(|end| self.name.ends_with(**end))
        {
            return Err(format!("the name must not end in `{ending}`, as files of our own do while it is fetched"));
        }
        if self.bytes == 0 {
            return Err("`bytes` must say how large the file is".into());
        }
        if self.sources.is_empty() {
            return Err("lists no source".into());
        }
        for source in &self.sources {
            match source {
                FileSource::Url(url) if !safe_url(url) => {
                    let url = url.escape_debug();
                    let what =
                        "must be https:// with the name of a host, without a user (http:// only on this machine)";
                    return Err(format!("source `{url}` {what}"));
                }
                FileSource::Hub(hub) if !is_hex(&hub.revision, 40) => {
                    return Err(format!("revision `{}` must be a commit of 40 hexadecimal digits", hub.revision));
                }
                _ => {}
            }
        }
        for hash in [&self.sha256, &self.content_sha256].into_iter().flatten() {
            if !is_hex(hash, 64) {
                return Err(format!("sha256 `{hash}` must be 64 lower-case hexadecimal digits"));
            }
        }
        match self.unpack {
            Unpack::None if self.strip > 0 || !self.provides.is_empty() => {
                Err("`strip` and `provides` are for archives: say `unpack = \"tgz\"` or `\"zip\"`".into())
            }
            Unpack::Tgz | Unpack::Zip if self.content_sha256.is_some() => {
                Err("`content_sha256` is for a .gz that is kept as it is".into())
            }
            Unpack::Tgz | Unpack::Zip if self.provides.is_empty() => {
                Err("`provides` must say which folders or files the archive brings".into())
            }
            _ if self.provides.iter().any(|path| safe_path(path).is_none()) => {
                Err("`provides` must list relative paths without `..`".into())
            }
            _ => Ok(()),
        }
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Plain http would let anyone on the way change what arrives; on this machine there is no way.
pub(crate) fn safe_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    // What stands before an `@` is a user's name, whatever it looks like; a password would be shown in messages.
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_here = matches!(host, "127.0.0.1" | "localhost");
    is_host && is_port && (scheme == "https" || (scheme == "http" && is_here))
}

/// The most bytes of a dataset: numbers up to here are the same in every language.
const MOST_BYTES: u64 = 1 << 53;

/// The longest path, and the longest name in one, in bytes.
const LONGEST_PATH: usize = 1024;
const LONGEST_NAME: usize = 200;

/// Folders within each other.
const DEEPEST: usize = 32;

/// Whether a character turns the direction of writing, so that a name reads as another one.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The path, if it stays inside the folder that it is relative to: only plain names, at least one. Backslashes and
/// colons are refused too, as they mean folders and drives on some systems.
pub(crate) fn safe_path(path: &str) -> Option<PathBuf> {
    let plain = |part: Component| matches!(part, Component::Normal(_));
    let odd = |c: char| ['\\', ':'].contains(&c) || c.is_control() || is_bidi(c);
    let text = Some(path.trim_end_matches('/')).filter(|path| path.len() <= LONGEST_PATH && !path.contains(odd))?;
    let path = Path::new(text);
    let parts: Vec<Component> = path.components().collect();
    let is_plain = !parts.is_empty() && parts.len() <= DEEPEST && parts.into_iter().all(plain);
    // `a//b` and `a/./b` are other spellings of a path: a file has one.
    let is_short = text.split('/').all(|name| !name.is_empty() && name != "." && name.len() <= LONGEST_NAME);
    (is_plain && is_short).then(|| path.to_path_buf())
}
