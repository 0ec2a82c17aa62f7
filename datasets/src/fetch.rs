//! Getting datasets onto this machine: the cache first, then each source in turn.
//!
//! A file that is there and right is left alone. Otherwise it is downloaded to `<file>.part`, checked against size and
//! sha256, and only then renamed, or unpacked, into place. `download` talks to one source, [`crate::unpack`] opens
//! archives; this module decides.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::check::{self, State};
use crate::download::{Download, Failure};
use crate::error::{Error, Result};
use crate::folder::DataFolder;
use crate::manifest::{Dataset, Entry, Unpack};
use crate::{atomic, hash, unpack};

/// How patient a [`Fetcher`] is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Never open a socket: what is not on this machine is an error.
    pub offline: bool,
    /// How often to ask one source before going on to the next.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles from one attempt to the next.
    pub backoff: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for the next piece of an answer.
    pub read_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            offline: false,
            attempts: 4,
            backoff: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(60),
        }
    }
}

/// What a [`Fetcher`] is doing, for whoever draws it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Another process is fetching the same dataset; we wait for it.
    Waiting,
    /// A source was asked, and answers from byte `done` on.
    Connected {
        /// The file.
        file: &'a str,
        /// The source.
        url: &'a str,
        /// Bytes that are here already.
        done: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// More of the file is here.
    Received {
        /// The file.
        file: &'a str,
        /// Bytes that are here.
        done: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// A source is asked again, after `wait`.
    Retrying {
        /// The source.
        url: &'a str,
        /// What went wrong.
        what: &'a str,
        /// The pause before the next attempt.
        wait: Duration,
    },
    /// A source is given up; the next one, if there is one, is asked.
    SourceFailed {
        /// The source.
        url: &'a str,
        /// What went wrong.
        what: &'a str,
    },
    /// The archive is whole and is being unpacked.
    Unpacking {
        /// The archive.
        file: &'a str,
        /// Files unpacked so far.
        files: u64,
    },
}

/// Downloads the files of datasets.
#[derive(Debug, Clone, Default)]
pub struct Fetcher {
    options: Options,
}

impl Fetcher {
    /// A fetcher of the given patience. It opens no socket until something has to be downloaded.
    pub fn new(options: Options) -> Fetcher {
        Fetcher { options }
    }

    /// Makes sure that all files of `dataset` are in `folder`, whole; returns their states in the manifest's order.
    ///
    /// # Errors
    /// The first file's that failed, as [`Fetcher::fetch_file`]; the others are fetched nevertheless.
    pub fn fetch(
        &self,
        folder: &DataFolder,
        dataset: &Dataset,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<State>> {
        let folder = folder.path(dataset);
        let states: Vec<_> = dataset.files.iter().map(|entry| self.fetch_file(&folder, entry, progress)).collect();
        states.into_iter().collect()
    }

    /// Makes sure that one file is in `folder`, the dataset's folder, whole, and says how well it was checked. Two
    /// processes that ask for the same dataset take turns.
    ///
    /// # Errors
    /// [`Error::Network`] where no source could deliver it, [`Error::WrongDownload`] where what they delivered is not what
    /// the manifest promises, [`Error::UnsafeArchive`], [`Error::Offline`], [`Error::Io`].
    pub fn fetch_file(&self, folder: &Path, entry: &Entry, progress: &mut dyn FnMut(Progress)) -> Result<State> {
        let state = check::verify(folder, entry)?;
        if state.is_good() {
            return Ok(state);
        }
        let path = folder.join(&entry.name);
        if self.options.offline && !folder.is_dir() {
            return Err(offline(path, entry, state));
        }
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let _lock = match lock(folder, progress) {
            // A folder that is only to be read cannot be locked; offline, nothing was to be written there anyway.
            Err(_) if self.options.offline => return Err(offline(path, entry, state)),
            lock => lock?,
        };
        // Whoever held the lock before us may have fetched it.
        let state = check::verify(folder, entry)?;
        if state.is_good() {
            return Ok(state);
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        let part = check::part(folder, entry);
        let state = match adopt(&path, &part, entry)? {
            Some(state) => state,
            None if self.options.offline => return Err(offline(path, entry, state)),
            None => self.download(&part, entry, progress)?,
        };
        if entry.unpack == Unpack::None {
            atomic::rename(&part, &path).map_err(Error::io("write", &path))?;
        } else {
            let unpacked = unpack::unpack(&part, folder, entry, &mut |files| {
                progress(Progress::Unpacking { file: &entry.name, files });
            });
            // Also after a failure: an archive that cannot be unpacked today cannot be tomorrow.
            fs::remove_file(&part).map_err(Error::io("remove", &part))?;
            unpacked?;
        }
        Ok(state)
    }

    /// Asks one source after the other until `<file>.part` is whole and right.
    fn download(&self, part: &Path, entry: &Entry, progress: &mut dyn FnMut(Progress)) -> Result<State> {
        let download = Download::new(&self.options, entry, part);
        let mut tried = Vec::new();
        let mut wrong = None;
        for source in &entry.sources {
            let url = source.url();
            // What an earlier run left may be of another source or another version. So a download that was resumed and
            // turns out wrong is not this source's fault yet: it is asked once more, from the first byte.
            let mut inherited = fs::metadata(part).is_ok_and(|part| part.len() > 0);
            loop {
                let failure = match download.from(&url, progress) {
                    Ok(()) => match check::compare(entry, &hash::file(part)?) {
                        State::Damaged { expected, got } => {
                            fs::remove_file(part).map_err(Error::io("remove", part))?;
                            Failure::Wrong { expected, got }
                        }
                        state => return Ok(state),
                    },
                    Err(failure) => failure,
                };
                let what = match failure {
                    Failure::Ours(error) => return Err(error),
                    Failure::Wrong { .. } if std::mem::take(&mut inherited) => continue,
                    Failure::Wrong { expected, got } => {
                        let what = format!("expected {expected}, got {got}");
                        wrong = Some((expected, got));
                        what
                    }
                    Failure::Source(what) => what,
                };
                progress(Progress::SourceFailed { url: &url, what: &what });
                tried.push(format!("{url}: {what}"));
                break;
            }
        }
        let file = entry.name.clone();
        Err(match wrong {
            Some((expected, got)) => Error::WrongDownload { file, expected, got, tried },
            None => Error::Network { file, tried },
        })
    }
}

/// Looks for the whole file among what is here: a download that was killed just before its last step, or an archive that
/// somebody copied to its place. It then stands at `part`.
fn adopt(path: &Path, part: &Path, entry: &Entry) -> Result<Option<State>> {
    let whole = |path: &Path| -> Result<Option<State>> {
        if fs::metadata(path).map_or(0, |file| file.len()) != entry.bytes {
            return Ok(None);
        }
        Ok(Some(check::compare(entry, &hash::file(path)?)).filter(State::is_good))
    };
    if let Some(state) = whole(part)? {
        return Ok(Some(state));
    }
    // A file that is not an archive would have been found good before.
    if entry.unpack == Unpack::None {
        return Ok(None);
    }
    let state = whole(path)?;
    if state.is_some() {
        atomic::rename(path, part).map_err(Error::io("write", part))?;
    }
    Ok(state)
}

fn offline(path: PathBuf, entry: &Entry, state: State) -> Error {
    match state {
        State::Damaged { expected, got } => Error::Damaged { path, expected, got },
        _ => Error::Offline { file: entry.name.clone(), bytes: entry.bytes, url: entry.url(), path },
    }
}

/// Takes the dataset's lock, waiting for another process if need be. The empty file `.lock` stays: removing it would let
/// a third process lock a new one while a second still waits for the old.
fn lock(folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Option<File>> {
    let path = folder.join(".lock");
    let file = File::options().create(true).append(true).open(&path).map_err(Error::io("write", &path))?;
    match file.try_lock() {
        Ok(()) => return Ok(Some(file)),
        Err(TryLockError::WouldBlock) => progress(Progress::Waiting),
        // Some network file systems have no locks; a download must still be possible there.
        Err(TryLockError::Error(_)) => return Ok(None),
    }
    match file.lock() {
        Ok(()) => Ok(Some(file)),
        Err(source) => Err(Error::io("lock", &path)(source)),
    }
}
