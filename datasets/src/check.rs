//! Whether the files of a dataset are there, and whether they are what they should be.

use std::fs;
use std::path::Path;

use tallow_io::hash::{self, Digest, Expected, Mismatch};

use crate::error::{Error, Result};
use crate::folder::DataFolder;
use crate::manifest::{Dataset, Entry, Unpack, safe_path};
use crate::{gzip, layout};

/// What is known about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is not there.
    Missing,
    /// It is not there, but this many bytes of an unfinished download are.
    Partial(u64),
    /// It is there; its hash was not looked at.
    Present,
    /// It is there with the right size, and no hash is known to compare with.
    Unhashed,
    /// It is there, and its hash is right.
    Verified,
    /// It is there, and is not what the manifest promises.
    Damaged {
        /// The size or sha256 that it should have.
        expected: String,
        /// The one it has.
        got: String,
    },
}

impl State {
    /// True where the file can be used as far as is known.
    pub fn is_good(&self) -> bool {
        matches!(self, State::Present | State::Unhashed | State::Verified)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            State::Missing => f.write_str("missing"),
            State::Partial(bytes) => write!(f, "missing ({} so far)", tallow_io::megabytes(*bytes)),
            State::Present => f.write_str("present"),
            State::Unhashed => f.write_str("present, unchecked hash"),
            State::Verified => f.write_str("verified"),
            State::Damaged { expected, got } => write!(f, "damaged: expected {expected}, got {got}"),
        }
    }
}

impl DataFolder {
    /// The state of each file of `dataset`, in the manifest's order, without reading the files.
    pub fn status(&self, dataset: &Dataset) -> Vec<State> {
        dataset.files.iter().map(|entry| self.file_status(dataset, entry)).collect()
    }

    /// The state of one file of `dataset`, without reading it.
    pub fn file_status(&self, dataset: &Dataset, entry: &Entry) -> State {
        quick(&self.path(dataset), entry)
    }

    /// The state of each file of `dataset`, in the manifest's order, after hashing those that are there.
    ///
    /// # Errors
    /// [`Error::Io`] where one cannot be read. Damage is a state, not an error.
    pub fn verify(&self, dataset: &Dataset) -> Result<Vec<State>> {
        dataset.files.iter().map(|entry| self.verify_file(dataset, entry)).collect()
    }

    /// The state of one file of `dataset`, after hashing it if it is there.
    ///
    /// # Errors
    /// As [`DataFolder::verify`].
    pub fn verify_file(&self, dataset: &Dataset, entry: &Entry) -> Result<State> {
        verify(&self.path(dataset), entry)
    }
}

fn quick(folder: &Path, entry: &Entry) -> State {
    if layout::present(folder, entry).is_some() {
        return State::Present;
    }
    match fs::metadata(layout::part(folder, entry)) {
        Ok(metadata) => State::Partial(metadata.len()),
        Err(_) => State::Missing,
    }
}

pub(crate) fn verify(folder: &Path, entry: &Entry) -> Result<State> {
    let Some(path) = layout::present(folder, entry) else { return Ok(quick(folder, entry)) };
    if entry.unpack != Unpack::None {
        return if path == layout::receipt(folder, entry) { unpacked(folder, &path) } else { Ok(State::Present) };
    }
    if path == folder.join(&entry.name) {
        let found = hash::file(&path)?;
        let state = compare(entry, &found);
        // The same contents may have been compressed anew.
        match (&entry.content_sha256, state.is_good()) {
            (Some(content), false) => match gzip::digest(&path) {
                Ok(found) if found.sha256 == *content => Ok(State::Verified),
                Ok(_) | Err(Error::Damaged { .. }) => Ok(state),
                Err(error) => Err(error),
            },
            _ => Ok(state),
        }
    } else {
        let expected = entry.content_sha256.clone().unwrap_or_default();
        let got = hash::file(&path)?.sha256;
        Ok(if got == expected { State::Verified } else { sha256_differs(&expected, &got) })
    }
}

/// Compares what was found with what the manifest promises of the file as published.
pub(crate) fn compare(entry: &Entry, found: &Digest) -> State {
    let expected = Expected { bytes: Some(entry.bytes), sha256: entry.sha256.as_deref() };
    match expected.differs_from(found) {
        Some(Mismatch { expected, got }) => State::Damaged { expected, got },
        None if entry.sha256.is_some() => State::Verified,
        None => State::Unhashed,
    }
}

fn sha256_differs(expected: &str, got: &str) -> State {
    State::Damaged { expected: format!("sha256 {expected}"), got: format!("sha256 {got}") }
}

/// Checks what an archive brought against the record that was made while unpacking it.
fn unpacked(folder: &Path, receipt: &Path) -> Result<State> {
    let text = tallow_io::read::text(receipt, tallow_io::read::NOTES).map_err(Error::io("read", receipt))?;
    for line in text.lines() {
        let entry = line.split_once("  ").and_then(|(sha256, path)| Some((sha256, path, safe_path(path)?)));
        let Some((expected, name, path)) = entry else {
            return Ok(State::Damaged { expected: "lines of sha256 and path".into(), got: format!("`{line}`") });
        };
        match hash::file(folder.join(path)) {
            Ok(found) if found.sha256 == expected => {}
            Ok(found) => return Ok(sha256_differs(&format!("{expected} of {name}"), &found.sha256)),
            Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(State::Damaged { expected: name.into(), got: "no such file".into() });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(State::Verified)
}
