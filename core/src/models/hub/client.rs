//! What is asked of the Hub, through `hf-hub`.
//!
//! Of that crate only its calls for pieces of a file are used, because its own way into the cache neither resumes, nor
//! looks at the answer's status, nor checks what came before it gives it its name.

use super::failure::Failure;
use super::layout::MAIN;
use super::{HubConfig, HubFile};
use crate::error::Error;
use crate::event::Listener;
use hf_hub::progress::{DownloadEvent, ProgressEvent, ProgressHandler};
use hf_hub::repository::{RepoTreeEntry, RepoTypeModel};
use hf_hub::{HFClient, HFClientSync, HFError, HFRepositorySync};
use std::ops::Range;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tallow_io::download::{self, Cut};

/// Polling interval for interrupts while waiting.
const GLANCE: Duration = Duration::from_millis(100);

type Repository = HFRepositorySync<RepoTypeModel>;

/// The Hub, asked for one file.
pub(super) struct Client<'a> {
    repo: Repository,
    pub(super) file: &'a HubFile<'a>,
    pub(super) config: &'a HubConfig,
    listener: &'a Listener,
}

/// What the Hub knows of a file.
pub(super) struct Entry {
    pub(super) bytes: u64,
    /// Git's name of it.
    pub(super) oid: String,
    /// Whether it is a large file, outside of git.
    pub(super) lfs: bool,
    /// The sha256 of a large file.
    pub(super) sha256: Option<String>,
}

impl<'a> Client<'a> {
    /// A client that knows what `config` says, and nothing that the environment says.
    pub(super) fn new(
        file: &'a HubFile<'a>,
        config: &'a HubConfig,
        listener: &'a Listener,
    ) -> Result<Client<'a>, Failure> {
        if !config.endpoint.starts_with("https://") && !config.endpoint.starts_with("http://") {
            let what =
                format!("HF_ENDPOINT is `{}`, which is not an address; one begins with https://", config.endpoint);
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
        let client: HFClientSync = built.map_err(|error| Failure::Theirs { what: error.to_string(), remedy: None })?;
        Ok(Client { repo: client.model(owner, name), file, config, listener })
    }

    /// The commit that `main` stands at, if the Hub says it.
    pub(super) fn commit(&self) -> Result<Option<String>, Cut> {
        let ask = |repo: Repository, _| repo.info().revision(MAIN).send();
        let info = self.watch(&mut |_| {}, ask)?.map_err(|error| self.cut(error))?;
        Ok(info.sha)
    }

    /// What the Hub knows of the file at a commit.
    pub(super) fn entry(&self, commit: &str) -> Result<Entry, Cut> {
        let (path, revision) = (self.file.file.to_string(), commit.to_string());
        let ask = |repo: Repository, _| repo.get_paths_info().paths(vec![path]).revision(revision).send();
        let entries = self.watch(&mut |_| {}, ask)?.map_err(|error| self.cut(error))?;
        let entry = entries.into_iter().find_map(|entry| match entry {
            RepoTreeEntry::File { oid, size, path, lfs, .. } if path == self.file.file => {
                Some(Entry { bytes: size, oid, lfs: lfs.is_some(), sha256: lfs.and_then(|lfs| lfs.sha256) })
            }
            _ => None,
        });
        entry.ok_or_else(|| self.not_there())
    }

    /// A piece of the file at a commit, none of it where the file ends before. `progress` gets the number of bytes so
    /// far.
    pub(super) fn piece(&self, commit: &str, piece: Range<u64>, progress: &mut dyn FnMut(u64)) -> Result<Vec<u8>, Cut> {
        let (path, revision) = (self.file.file.to_string(), commit.to_string());
        let answer = self.watch(progress, move |repo, alive| {
            repo.download_file_to_bytes().filename(path).revision(revision).range(piece).progress(alive).send()
        })?;
        match answer {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(HFError::Http { context }) if context.status.as_u16() == 416 => Ok(Vec::new()),
            Err(error) => Err(self.cut(error)),
        }
    }

    /// What went wrong, under the address that was asked.
    pub(super) fn says(&self, what: impl std::fmt::Display) -> String {
        format!("{}: {what}", self.config.endpoint)
    }

    /// Runs one call of `hf-hub` in a thread of its own, since the crate knows no time-outs, and calls back from places
    /// where a listener should not be called. A call that gives no sign of life for too long is left to itself.
    fn watch<T: Send + 'static>(
        &self,
        progress: &mut dyn FnMut(u64),
        call: impl FnOnce(Repository, SignsOfLife) -> Result<T, HFError> + Send + 'static,
    ) -> Result<Result<T, HFError>, Cut> {
        let (answer, receiver) = channel();
        let received = answer.clone();
        let repo = self.repo.clone();
        // Where a message cannot be sent, the receiver has gone.
        std::thread::spawn(move || {
            let alive = SignsOfLife(Box::new(move |bytes| drop(received.send(Message::Received(bytes)))));
            drop(answer.send(Message::Answer(Box::new(call(repo, alive)))))
        });
        let mut last = Instant::now();
        loop {
            match receiver.recv_timeout(GLANCE) {
                Ok(Message::Answer(answer)) => return Ok(*answer),
                Ok(Message::Received(bytes)) => {
                    progress(bytes);
                    last = Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Cut::again("the download ended without an answer"));
                }
                Err(RecvTimeoutError::Timeout) if last.elapsed() > self.config.timeout => {
                    return Err(Cut::again(format!("nothing came for {} s", self.config.timeout.as_secs_f64())));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.listener.take_interrupt() {
                return Err(download::Failure::Interrupted.into());
            }
        }
    }

    /// Whether a failure is worth another attempt.
    fn cut(&self, error: HFError) -> Cut {
        let token = |what: &str| {
            let which = if self.config.token.is_some() { "another token" } else { "a token" };
            let remedy =
                format!("set HF_TOKEN to {which}, one that may read {} (the Hub's settings have them)", self.file.repo);
            download::Failure::Refused { what: what.into(), remedy: Some(remedy) }.into()
        };
        match error {
            HFError::RateLimited { retry_after, .. } => {
                Cut::Again("too many requests (429)".into(), retry_after.unwrap_or_default())
            }
            HFError::AuthRequired { .. } => token("the Hub knows no such repository, or wants to know who asks (401)"),
            HFError::Forbidden { .. } => token("the Hub does not allow it (403)"),
            HFError::EntryNotFound { .. } | HFError::RepoNotFound { .. } | HFError::RevisionNotFound { .. } => {
                self.not_there()
            }
            HFError::Http { context } => match context.status.as_u16() {
                408 | 500.. => Cut::again(format!("the server failed ({})", context.status)),
                _ => Cut::refused(format!("the server said {}", context.status)),
            },
            HFError::Request { source, .. } if source.is_connect() => Cut::Unreachable(causes(&source)),
            HFError::Request { source, .. } if source.is_redirect() || source.is_builder() => {
                Cut::refused(causes(&source))
            }
            HFError::Request { source, .. } => Cut::again(causes(&source)),
            HFError::Xet { .. } => Cut::again(causes(&error)),
            other => Cut::refused(causes(&other)),
        }
    }

    fn not_there(&self) -> Cut {
        let HubFile { repo, file, revision, .. } = self.file;
        let revision = revision.unwrap_or(MAIN);
        Cut::refused(self.says(format!("the Hub has no file `{file}` in `{repo}` at {revision} (404)")))
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
