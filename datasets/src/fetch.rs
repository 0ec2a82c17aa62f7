//! Getting datasets onto this machine: the cache first, then each source in turn.
//!
//! A file that is there and right is left alone. Otherwise it is downloaded to `<file>.part`, checked against size and
//! sha256, and only then renamed, or unpacked, into place. [`tallow_io::download`] keeps at it, `download` talks to one
//! source, [`crate::unpack`] opens archives; this module decides.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tallow_io::download::{self, Download, Failure, Retry};
use tallow_io::hash::Mismatch;
use tallow_io::{atomic, fault, hash};

use crate::check::{self, State};
use crate::download::HttpSource;
use crate::error::{Error, Result};
use crate::folder::DataFolder;
use crate::layout;
use crate::manifest::{Dataset, Entry, Unpack};
use crate::options::Options;
use crate::progress::Progress;
use crate::unpack;

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
    /// [`Error::Network`] where no source could deliver it, [`Error::WrongDownload`] where what they delivered is not
    /// what the manifest promises, [`Error::UnsafeArchive`], [`Error::Offline`], [`Error::Io`].
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
        // The folder may have been prepared by others.
        if let Some(link) = tallow_io::inside::link_on_the_way(folder, &entry.name) {
            return Err(Error::damaged(
                &link,
                "a folder, and not a link that leads out of the dataset",
                "a link: remove it",
            ));
        }
        let _lock = match lock(folder, progress) {
            // A folder that is only to be read cannot be locked; offline, nothing was to be written there anyway.
            Err(_) if self.options.offline => return Err(offline(path, entry, state)),
            lock => lock?,
        };
        // The process that held the lock before us may have fetched it.
        let state = check::verify(folder, entry)?;
        if state.is_good() {
            return Ok(state);
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            atomic::remove_left_over(parent)?;
        }
        let part = layout::part(folder, entry);
        let state = match adopt(&path, &part, entry)? {
            Some(state) => state,
            None if self.options.offline => return Err(offline(path, entry, state)),
            None => self.download(&part, entry, progress)?,
        };
        if entry.unpack == Unpack::None {
            atomic::rename(&part, &path)?;
        } else {
            let unpacked = unpack::unpack(&part, folder, entry, &mut |files| {
                progress(Progress::Unpacking { file: &entry.name, files });
            });
            // An archive that cannot be unpacked today cannot be tomorrow. A disk that was full may have room then, and
            // need not be sent the archive again.
            if !matches!(unpacked, Err(Error::Io(_))) {
                fault::point().and_then(|()| fs::remove_file(&part)).map_err(Error::io("remove", &part))?;
            }
            unpacked?;
        }
        Ok(state)
    }

    /// Asks one source after the other until `<file>.part` is whole and right.
    fn download(&self, part: &Path, entry: &Entry, progress: &mut dyn FnMut(Progress)) -> Result<State> {
        let download = Download { part, bytes: entry.bytes, sha256: entry.sha256.as_deref() };
        let patience = self.options.patience();
        let mut tried = Vec::new();
        let mut wrong = None;
        for source in &entry.sources {
            let url = source.url();
            let mut source = HttpSource::new(&self.options, &url);
            let mut tell = |report: download::Progress| {
                Progress::of(&entry.name, &url, report).into_iter().for_each(&mut *progress);
            };
            let what = match download.run(&mut source, &mut Retry::new(&patience), &mut tell) {
                Ok(found) => return Ok(check::compare(entry, &found)),
                Err(Failure::Ours(error)) => return Err(error.into()),
                Err(Failure::Interrupted) => return Err(interrupted(part)),
                Err(Failure::Refused { what, .. } | Failure::GivenUp { what, .. }) => what,
                Err(Failure::Wrong(Mismatch { expected, got })) => {
                    let what = format!("expected {expected}, got {got}");
                    wrong = Some((expected, got));
                    what
                }
            };
            progress(Progress::SourceFailed { url: &url, what: &what });
            tried.push(format!("{url}: {what}"));
        }
        let file = entry.name.clone();
        Err(match wrong {
            Some((expected, got)) => Error::WrongDownload { file, expected, got, tried },
            None => Error::Network { file, tried },
        })
    }
}

/// Looks for the whole file among what is here: a download that was killed just before its last step, or an archive
/// that the user copied to its place. It then stands at `part`.
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
        atomic::rename(path, part)?;
    }
    Ok(state)
}

fn offline(path: PathBuf, entry: &Entry, state: State) -> Error {
    match state {
        State::Damaged { expected, got } => Error::Damaged { path, expected, got },
        _ => Error::Offline { file: entry.name.clone(), bytes: entry.bytes, url: entry.url(), path },
    }
}

/// Takes the dataset's lock.
fn lock(folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Option<fs::File>> {
    let path = folder.join(".lock");
    download::lock(&path, &mut |_: download::Progress| progress(Progress::Waiting)).map_err(|failure| match failure {
        Failure::Ours(error) => error.into(),
        _ => interrupted(&path),
    })
}

/// The failure of a download that was stopped, which none of our observers asks for.
fn interrupted(path: &Path) -> Error {
    Error::io("write", path)(ErrorKind::Interrupted.into())
}
