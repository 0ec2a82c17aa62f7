//! One file from the Hub into its cache.
//!
//! A piece that has arrived is kept in `<hash>.incomplete`, where Python keeps it too, so that a cut download goes on
//! where it was cut; the finished file is checked, and only then gets its name. [`tallow_io::download`] keeps at it,
//! `client` speaks to the Hub.

use super::client::Client;
use super::failure::Failure;
use super::layout;
use super::{HubConfig, HubFile, cache};
use crate::error::Error;
use crate::event::{Event, Listener};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tallow_io::download::{self, ByteSource, Cut, Download, Observer, Part, Progress, Retry};
use tallow_io::hash::Mismatch;
use tallow_io::{atomic, megabytes};

/// Fetches `file` into the cache, and gives its path there.
pub(super) fn download(file: &HubFile, config: &HubConfig, listener: &Listener) -> Result<PathBuf, Failure> {
    let client = Client::new(file, config, listener)?;
    let observer = &mut Narrator { file, listener };
    let patience = config.patience();
    let mut retry = Retry::new(&patience);
    let wanted = describe(&client, &mut retry, observer)?;
    let folder = layout::folder(&config.cache, file.repo);
    let name = wanted.sha256.clone().unwrap_or_else(|| format!("{}-{}", wanted.commit, file.file.replace('/', "-")));
    let part = layout::blob(&folder, &format!("{name}.incomplete"));
    let locks = config.cache.join(".locks").join(folder.file_name().unwrap_or_default());
    for folder in [part.parent(), Some(&*locks)].into_iter().flatten() {
        fs::create_dir_all(folder).map_err(|error| {
            let remedy = "set HF_HOME or HF_HUB_CACHE to a folder that can be written, or name a weights file";
            let what = format!("the cache of published weights cannot be made there: {error}; {remedy}");
            Error::io(folder)(io::Error::new(error.kind(), what))
        })?;
    }
    // The lock that Python takes too.
    let lock = download::lock(&locks.join(format!("{name}.lock")), observer);
    let _lock = lock.map_err(|failure| explain(&client, failure))?;
    // The process that held the lock before us may have fetched it.
    let pinned = HubFile { revision: Some(&wanted.commit), ..*file };
    if let Some(path) = cache::find(&config.cache, &pinned)
        && pinned.expected().differs_from_file(&path)?.is_none()
    {
        return Ok(path);
    }
    let sha256 = receive(&client, &part, &wanted, &mut retry, observer)?;
    let id = if wanted.lfs { sha256 } else { wanted.oid.clone().unwrap_or(sha256) };
    let path = cache::place(&part, &folder, &id, &wanted.commit, file.file)?;
    if file.revision.is_none() {
        atomic::write(layout::branch(&folder), &wanted.commit)?;
    }
    Ok(path)
}

/// What the file should be, so far as that can be known before it is here.
struct Wanted {
    commit: String,
    bytes: u64,
    sha256: Option<String>,
    /// Whether it is a large file, which the cache names by its sha256; a small one it names by git's hash.
    lfs: bool,
    oid: Option<String>,
}

/// What the file is: known, or else asked for.
fn describe(client: &Client, retry: &mut Retry, observer: &mut dyn Observer) -> Result<Wanted, Failure> {
    let file = client.file;
    if let (Some(commit), Some(bytes), Some(sha256)) = (file.revision, file.bytes, file.sha256) {
        return Ok(Wanted { commit: commit.into(), bytes, sha256: Some(sha256.into()), lfs: true, oid: None });
    }
    let explain = |failure| explain(client, failure);
    let commit = match file.revision {
        Some(commit) => commit.to_string(),
        None => {
            let commit = retry.insist(observer, &mut || client.commit()).map_err(explain)?;
            let known = commit.filter(|commit| commit.len() == 40 && layout::is_name(commit));
            known.ok_or_else(|| theirs(client, "the Hub does not say which commit `main` is"))?
        }
    };
    let entry = retry.insist(observer, &mut || client.entry(&commit)).map_err(explain)?;
    if let Some(expected) = file.bytes.filter(|&expected| expected != entry.bytes) {
        let what = format!("expected {expected} bytes, but the Hub has a file of {} bytes", entry.bytes);
        return Err(theirs(client, what));
    }
    let told = entry.sha256.filter(|hash| hash.len() == 64 && layout::is_name(hash));
    let sha256 = file.sha256.map(String::from).or(told);
    let oid = Some(entry.oid).filter(|oid| layout::is_name(oid));
    Ok(Wanted { commit, bytes: entry.bytes, sha256, lfs: entry.lfs, oid })
}

/// Receives what is missing of the file, checks all of it, and gives its sha256.
fn receive(
    client: &Client,
    part: &Path,
    wanted: &Wanted,
    retry: &mut Retry,
    observer: &mut Narrator,
) -> Result<String, Failure> {
    let unfinished = File::options().create(true).append(true).open(part).map_err(Error::io(part))?;
    if wanted.sha256.is_none() {
        // What an earlier run left may be of another file. Only a hash can tell.
        unfinished.set_len(0).map_err(Error::io(part))?;
    }
    let task = format!("{} of {}", client.file.file, client.file.repo);
    let task = observer.listener.task(&task, wanted.bytes as usize);
    let download = Download { part, bytes: wanted.bytes, sha256: wanted.sha256.as_deref() };
    let received = download.run(&mut Pieces { client, commit: &wanted.commit }, retry, observer);
    drop(task);
    received.map(|found| found.sha256).map_err(|failure| explain(client, failure))
}

/// The file, a piece at each request.
struct Pieces<'a> {
    client: &'a Client<'a>,
    commit: &'a str,
}

impl ByteSource for Pieces<'_> {
    fn bring(&mut self, part: &mut Part) -> Result<(), Cut> {
        let (have, all) = (part.len(), part.bytes());
        let length = self.client.config.piece.max(1).min(all - have);
        let received = self.client.piece(self.commit, have..have + length, &mut |n| part.arriving(n))?;
        let refused = |what: String| Err(Cut::refused(self.client.says(what)));
        match received.len() as u64 {
            0 => return refused(format!("expected {all} bytes, got {have} bytes, and there are no more")),
            // A server that knows no pieces sends all that it has.
            n if n == all && n > length => part.truncate(0)?,
            n if n > length => return refused(format!("expected {all} bytes, got at least {n} bytes")),
            _ => {}
        }
        part.append(&received)
    }
}

/// Tells a listener how far a download is.
struct Narrator<'a> {
    file: &'a HubFile<'a>,
    listener: &'a Listener,
}

impl Observer for Narrator<'_> {
    fn tell(&mut self, progress: Progress) {
        let HubFile { repo, file, .. } = self.file;
        match progress {
            Progress::Received { done, bytes } => {
                let note = format!("{} of {}", megabytes(done), megabytes(bytes));
                self.listener.tell(Event::Progress { done: done as usize, note: &note });
            }
            Progress::Waiting => {
                let note = format!("waiting for another program that fetches {file} of {repo}");
                self.listener.tell(Event::Note(&note));
            }
            Progress::Retrying { what, wait } => {
                let note = format!("{repo}: {what}; asking again in {:.0} s", wait.as_secs_f64());
                self.listener.tell(Event::Note(&note));
            }
            _ => {}
        }
    }

    fn is_interrupted(&self) -> bool {
        self.listener.take_interrupt()
    }
}

/// A failure that is not this machine's, under the address that was asked.
fn theirs(client: &Client, what: impl Into<String>) -> Failure {
    Failure::Theirs { what: client.says(what.into()), remedy: None }
}

fn explain(client: &Client, failure: download::Failure) -> Failure {
    match failure {
        download::Failure::Refused { what, remedy } => Failure::Theirs { what, remedy },
        download::Failure::GivenUp { what, attempts: 1 } => theirs(client, what),
        download::Failure::GivenUp { what, attempts } => theirs(client, format!("{what}, {attempts} times in a row")),
        download::Failure::Wrong(Mismatch { expected, got }) => {
            theirs(client, format!("what came is another file: expected {expected}, got {got}"))
        }
        download::Failure::Ours(error) => error.into(),
        download::Failure::Interrupted => Error::Interrupted(String::new()).into(),
    }
}
