//! One file from the Hub, through `hf-hub`.
//!
//! Of that crate only its calls for pieces of a file are used, because its own way into the cache neither resumes, nor
//! looks at the answer's status, nor checks what came before it gives it its name. A piece that has arrived is kept in
//! `<hash>.incomplete`, where Python keeps it too, so that a cut download goes on where it was cut; the finished file is
//! checked, and only then gets its name.

use super::{Failure, HubConfig, HubFile, cache};
use crate::error::Error;
use crate::event::{Event, Listener};
use hf_hub::progress::{DownloadEvent, ProgressEvent, ProgressHandler};
use hf_hub::repository::{RepoTreeEntry, RepoTypeModel};
use hf_hub::{HFClient, HFClientSync, HFError, HFRepositorySync};
use std::cell::Cell;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tallow_datasets::{hash, megabytes};

/// How often somebody who waits looks whether the user wants to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// Fetches `file` into the cache, and gives its path there.
pub(super) fn download(file: &HubFile, config: &HubConfig, listener: &Listener) -> Result<PathBuf, Failure> {
    let download = Download { repo: client(file, config)?, file, config, listener, answered: Cell::new(false) };
    let wanted = download.describe()?;
    let folder = cache::folder(&config.cache, file.repo);
    let name = wanted.sha256.clone().unwrap_or_else(|| format!("{}-{}", wanted.commit, file.file.replace('/', "-")));
    let part = cache::blob(&folder, &format!("{name}.incomplete"));
    let locks = config.cache.join(".locks").join(folder.file_name().unwrap_or_default());
    for folder in [part.parent(), Some(&*locks)].into_iter().flatten() {
        fs::create_dir_all(folder).map_err(|error| ours("create", folder, error))?;
    }
    let _lock = download.lock(&locks.join(format!("{name}.lock")))?;
    // Whoever held the lock before us may have fetched it.
    let pinned = HubFile { revision: Some(&wanted.commit), ..*file };
    if let Some(path) = cache::find(&config.cache, &pinned)
        && cache::damage(&path, &pinned).map_err(Failure::Ours)?.is_none()
    {
        return Ok(path);
    }
    let sha256 = download.receive(&part, &wanted)?;
    let id = if wanted.lfs { sha256 } else { wanted.oid.clone().unwrap_or(sha256) };
    let path = cache::place(&part, &folder, &id, &wanted.commit, file.file).map_err(Failure::Ours)?;
    if file.revision.is_none() {
        let branch = folder.join("refs").join(cache::MAIN);
        tallow_datasets::atomic::write(branch, &wanted.commit).map_err(|error| Failure::Ours(error.into()))?;
    }
    Ok(path)
}

/// A client that knows what `config` says, and nothing that the environment says.
fn client(file: &HubFile, config: &HubConfig) -> Result<HFRepositorySync<RepoTypeModel>, Failure> {
    if !config.endpoint.starts_with("https://") && !config.endpoint.starts_with("http://") {
        let what = format!("HF_ENDPOINT is `{}`, which is no address; one begins with https://", config.endpoint);
        return Err(Failure::Ours(Error::Usage(what)));
    }
    // Without a token the crate would look for one by itself. One that cannot stand in a header is not sent.
    let token = config.token.as_ref().map_or("\n", |token| token.reveal());
    let (owner, name) = hf_hub::split_id(file.repo);
    let built = HFClient::builder()
        .endpoint(&config.endpoint)
        .token(token)
        .cache_dir(&config.cache)
        .cache_enabled(false)
        .user_agent(concat!("tallow/", env!("CARGO_PKG_VERSION")))
        .retry_max_attempts(0)
        .build_sync();
    let client: HFClientSync = built.map_err(|error| Failure::Theirs(error.to_string(), None))?;
    Ok(client.model(owner, name))
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

struct Download<'a> {
    repo: HFRepositorySync<RepoTypeModel>,
    file: &'a HubFile<'a>,
    config: &'a HubConfig,
    listener: &'a Listener,
    /// Whether the Hub has answered before.
    answered: Cell<bool>,
}

/// How an attempt failed.
enum Cut {
    /// Worth another attempt, after at least this pause.
    Again(String, Duration),
    /// Nobody answers there.
    Unreachable(String),
    /// The file has no such piece.
    PastTheEnd,
    Failed(Failure),
}

impl Download<'_> {
    /// What the file is: known, or else asked for.
    fn describe(&self) -> Result<Wanted, Failure> {
        let file = self.file;
        if let (Some(commit), Some(bytes), Some(sha256)) = (file.revision, file.bytes, file.sha256) {
            return Ok(Wanted { commit: commit.into(), bytes, sha256: Some(sha256.into()), lfs: true, oid: None });
        }
        let commit = match file.revision {
            Some(commit) => commit.to_string(),
            None => {
                let ask = |repo: HFRepositorySync<RepoTypeModel>, _| repo.info().revision(cache::MAIN).send();
                let commit = self.insist(&mut || self.watch(&mut |_| {}, ask))?.sha.unwrap_or_default();
                let known = Some(commit).filter(|commit| commit.len() == 40 && cache::is_name(commit));
                known.ok_or_else(|| self.theirs("the Hub does not say which commit `main` is".into()))?
            }
        };
        let entries = self.insist(&mut || {
            let (path, revision) = (file.file.to_string(), commit.clone());
            self.watch(&mut |_| {}, |repo, _| repo.get_paths_info().paths(vec![path]).revision(revision).send())
        })?;
        let entry = entries.into_iter().find_map(|entry| match entry {
            RepoTreeEntry::File { oid, size, path, lfs, .. } if path == file.file => Some((oid, size, lfs)),
            _ => None,
        });
        let (oid, bytes, lfs) = entry.ok_or_else(|| self.not_there())?;
        if let Some(expected) = file.bytes.filter(|&expected| expected != bytes) {
            return Err(self.theirs(format!("expected {expected} bytes, but the Hub has a file of {bytes} bytes")));
        }
        let told =
            lfs.as_ref().and_then(|lfs| lfs.sha256.clone()).filter(|hash| hash.len() == 64 && cache::is_name(hash));
        let sha256 = file.sha256.map(String::from).or(told);
        Ok(Wanted { commit, bytes, sha256, lfs: lfs.is_some(), oid: Some(oid).filter(|oid| cache::is_name(oid)) })
    }

    /// Receives what is missing of the file, checks all of it, and gives its sha256.
    fn receive(&self, part: &Path, wanted: &Wanted) -> Result<String, Failure> {
        // What an earlier run left may be of another file. Only a hash can tell.
        let mut inherited = wanted.sha256.is_some() && fs::metadata(part).is_ok_and(|part| part.len() > 0);
        if !inherited {
            self.truncate(part, 0)?;
        }
        loop {
            let task = format!("{} of {}", self.file.file, self.file.repo);
            self.listener.tell(Event::Begin { task: &task, total: wanted.bytes as usize });
            let received = self.pieces(part, wanted);
            self.listener.tell(Event::End);
            received?;
            let found = hash::file(part).map_err(|error| Failure::Ours(error.into()))?;
            match &wanted.sha256 {
                Some(expected) if *expected != found.sha256 => {
                    fs::remove_file(part).map_err(|error| ours("remove", part, error))?;
                    if std::mem::take(&mut inherited) {
                        continue;
                    }
                    return Err(self.theirs(format!(
                        "what came is another file: expected sha256 {expected}, got sha256 {}",
                        found.sha256
                    )));
                }
                _ => return Ok(found.sha256),
            }
        }
    }

    /// Receives piece after piece until all bytes are there.
    fn pieces(&self, part: &Path, wanted: &Wanted) -> Result<(), Failure> {
        let mut have = fs::metadata(part).map_or(0, |part| part.len());
        if have > wanted.bytes {
            have = 0;
        }
        let mut output = self.truncate(part, have)?;
        while have < wanted.bytes {
            let piece = have..(have + self.config.piece.max(1)).min(wanted.bytes);
            let bytes = self.insist(&mut || match self.piece(wanted, piece.clone()) {
                Err(Cut::PastTheEnd) => Err(Cut::Failed(self.too_short(wanted, have))),
                Ok(bytes) if bytes.is_empty() => Err(Cut::Failed(self.too_short(wanted, have))),
                other => other,
            })?;
            match bytes.len() as u64 {
                // A server that knows no pieces sends all that it has.
                all if all == wanted.bytes && all > piece.end - piece.start => {
                    output = self.truncate(part, 0)?;
                    have = 0;
                }
                n if n > piece.end - piece.start => {
                    let what = format!("expected {} bytes, got at least {n} bytes", wanted.bytes);
                    return Err(self.theirs(what));
                }
                _ => {}
            }
            output.write_all(&bytes).map_err(|error| ours("write", part, error))?;
            have += bytes.len() as u64;
            self.tell(have, wanted.bytes);
        }
        output.sync_all().map_err(|error| ours("write", part, error))
    }

    fn piece(&self, wanted: &Wanted, piece: std::ops::Range<u64>) -> Result<Vec<u8>, Cut> {
        let (path, revision, start) = (self.file.file.to_string(), wanted.commit.clone(), piece.start);
        let mut progress = |done: u64| self.tell((start + done).min(wanted.bytes), wanted.bytes);
        let bytes = self.watch(&mut progress, move |repo, alive| {
            repo.download_file_to_bytes().filename(path).revision(revision).range(piece).progress(alive).send()
        })?;
        Ok(bytes.to_vec())
    }

    fn tell(&self, done: u64, total: u64) {
        let note = format!("{} of {}", megabytes(done), megabytes(total));
        self.listener.tell(Event::Progress { done: done as usize, note: &note });
    }

    /// Asks again and again until there is an answer or no hope.
    fn insist<T>(&self, ask: &mut dyn FnMut() -> Result<T, Cut>) -> Result<T, Failure> {
        let mut failures = 0;
        loop {
            let (what, wait) = match ask() {
                Ok(answer) => {
                    self.answered.set(true);
                    return Ok(answer);
                }
                Err(Cut::Failed(failure)) => return Err(failure),
                Err(Cut::PastTheEnd) => return Err(self.theirs("416 Range Not Satisfiable".into())),
                // On a machine without network, waiting for it would only keep the user from the message. In the middle of a
                // download the network comes back more often than not.
                Err(Cut::Unreachable(what)) if !self.answered.get() => return Err(self.theirs(what)),
                Err(Cut::Unreachable(what)) => (what, Duration::ZERO),
                Err(Cut::Again(what, wait)) => (what, wait),
            };
            failures += 1;
            if wait > self.config.longest_wait {
                let what = format!("{what}, and asks to wait for {} s", wait.as_secs());
                return Err(self.theirs(what));
            }
            if failures >= self.config.attempts {
                return Err(self.theirs(format!("{what}, {failures} times in a row")));
            }
            let wait = wait.max(self.config.backoff * 2u32.pow((failures - 1).min(6))).min(self.config.longest_wait);
            let note = format!("{}: {what}; asking again in {:.0} s", self.file.repo, wait.as_secs_f64());
            self.listener.tell(Event::Note(&note));
            pause(wait, self.listener)?;
        }
    }

    /// Runs one call of `hf-hub` in a thread of its own, since the crate knows no time-outs, and calls back from places
    /// where a listener should not be called. A call that gives no sign of life for too long is left to itself.
    fn watch<T: Send + 'static>(
        &self,
        progress: &mut dyn FnMut(u64),
        call: impl FnOnce(HFRepositorySync<RepoTypeModel>, SignsOfLife) -> Result<T, HFError> + Send + 'static,
    ) -> Result<T, Cut> {
        let (answer, receiver) = channel();
        let received = answer.clone();
        let repo = self.repo.clone();
        // Where a message cannot be sent, nobody is waiting any more.
        std::thread::spawn(move || {
            let alive = SignsOfLife(Box::new(move |bytes| drop(received.send(Message::Received(bytes)))));
            drop(answer.send(Message::Answer(Box::new(call(repo, alive)))))
        });
        let mut last = Instant::now();
        loop {
            match receiver.recv_timeout(GLANCE) {
                Ok(Message::Answer(answer)) => return answer.map_err(|error| self.cut(error)),
                Ok(Message::Received(bytes)) => {
                    progress(bytes);
                    last = Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(again("the download ended without an answer".into()));
                }
                Err(RecvTimeoutError::Timeout) if last.elapsed() > self.config.timeout => {
                    return Err(again(format!("nothing came for {} s", self.config.timeout.as_secs_f64())));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.listener.stop_if_interrupted().map_err(|error| Cut::Failed(Failure::Ours(error)))?;
        }
    }

    /// Whether a failure is worth another attempt.
    fn cut(&self, error: HFError) -> Cut {
        let failed = |what: String, first: Option<String>| Cut::Failed(Failure::Theirs(what, first));
        let token = |what: String| {
            let which = if self.config.token.is_some() { "another token" } else { "a token" };
            let first =
                format!("set HF_TOKEN to {which}, one that may read {} (the Hub's settings have them)", self.file.repo);
            failed(what, Some(first))
        };
        match error {
            HFError::RateLimited { retry_after, .. } => {
                Cut::Again("too many requests (429)".into(), retry_after.unwrap_or_default())
            }
            HFError::AuthRequired { .. } => {
                token("the Hub knows no such repository, or wants to know who asks (401)".into())
            }
            HFError::Forbidden { .. } => token("the Hub does not allow it (403)".into()),
            HFError::EntryNotFound { .. } | HFError::RepoNotFound { .. } | HFError::RevisionNotFound { .. } => {
                Cut::Failed(self.not_there())
            }
            HFError::Http { context } => match context.status.as_u16() {
                416 => Cut::PastTheEnd,
                408 | 500.. => again(format!("the server failed ({})", context.status)),
                _ => failed(format!("the server said {}", context.status), None),
            },
            HFError::Request { source, .. } if source.is_connect() => Cut::Unreachable(causes(&source)),
            HFError::Request { source, .. } if source.is_redirect() || source.is_builder() => {
                failed(causes(&source), None)
            }
            HFError::Request { source, .. } => again(causes(&source)),
            HFError::Xet { .. } => again(causes(&error)),
            other => failed(causes(&other), None),
        }
    }

    /// Takes the lock that Python takes too, waiting for another process if need be.
    fn lock(&self, path: &Path) -> Result<Option<File>, Failure> {
        let lock = File::options().create(true).append(true).open(path).map_err(|error| ours("write", path, error))?;
        let mut told = false;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Some(lock)),
                // Some network file systems have no locks; a download must still be possible there.
                Err(TryLockError::Error(_)) => return Ok(None),
                Err(TryLockError::WouldBlock) => {}
            }
            if !std::mem::replace(&mut told, true) {
                let note = format!("waiting for another program that fetches {} of {}", self.file.file, self.file.repo);
                self.listener.tell(Event::Note(&note));
            }
            pause(GLANCE, self.listener)?;
        }
    }

    /// Opens the unfinished file for appending at `length`, dropping what follows.
    fn truncate(&self, part: &Path, length: u64) -> Result<File, Failure> {
        let file = OpenOptions::new().create(true).append(true).open(part);
        file.and_then(|file| file.set_len(length).map(|()| file)).map_err(|error| ours("write", part, error))
    }

    fn not_there(&self) -> Failure {
        let HubFile { repo, file, revision, .. } = self.file;
        let revision = revision.unwrap_or(cache::MAIN);
        self.theirs(format!("the Hub has no file `{file}` in `{repo}` at {revision} (404)"))
    }

    fn too_short(&self, wanted: &Wanted, have: u64) -> Failure {
        self.theirs(format!("expected {} bytes, got {have} bytes, and there are no more", wanted.bytes))
    }

    /// A failure that is not this machine's, under the address that was asked.
    fn theirs(&self, what: String) -> Failure {
        Failure::Theirs(format!("{}: {what}", self.config.endpoint), None)
    }
}

/// What the thread that speaks to the Hub tells the one that waits.
enum Message<T> {
    Received(u64),
    Answer(Box<Result<T, HFError>>),
}

/// Passes on how much of a piece has arrived.
struct SignsOfLife(Box<dyn Fn(u64) + Send + Sync>);

impl ProgressHandler for SignsOfLife {
    fn on_progress(&self, event: &ProgressEvent) {
        if let ProgressEvent::Download(DownloadEvent::Progress { files }) = event {
            (self.0)(files.iter().map(|file| file.bytes_completed).sum());
        }
    }
}

/// Waits, unless the user wants to stop.
fn pause(time: Duration, listener: &Listener) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        listener.stop_if_interrupted().map_err(Failure::Ours)?;
        match time.checked_sub(start.elapsed()) {
            Some(left) => std::thread::sleep(left.min(GLANCE)),
            None => return Ok(()),
        }
    }
}

fn ours(action: &'static str, path: &Path, error: std::io::Error) -> Failure {
    Failure::Ours(tallow_datasets::Error::io(action, path)(error).into())
}

fn again(what: String) -> Cut {
    Cut::Again(what, Duration::ZERO)
}

/// An error and what is behind it, which is where the reason is: `error sending request: connection refused`.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
