//! One file from one source over HTTP, resumed where it was cut.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use crate::error::Error;
use crate::fetch::{Options, Progress};
use crate::manifest::Entry;

/// The longest pause that a source may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// An attempt that brought this much was no failure: a long download may be cut more often than `attempts`.
const WORTHWHILE: u64 = 1 << 20;

/// Why a source did not deliver.
pub(crate) enum Failure {
    /// It cannot: the next source may.
    Source(String),
    /// It delivered something else.
    Wrong { expected: String, got: String },
    /// The fault is on this machine, so the next source cannot help.
    Ours(Error),
}

/// How one attempt ended, if not well.
enum Cut {
    /// Worth another attempt, after at least this pause.
    Again(String, Duration),
    /// Nobody answers at that address: no such host, nobody listening, no trust.
    Unreachable(String),
    Failed(Failure),
}

pub(crate) struct Download<'a> {
    agent: Agent,
    options: &'a Options,
    entry: &'a Entry,
    part: &'a Path,
}

impl<'a> Download<'a> {
    pub(crate) fn new(options: &'a Options, entry: &'a Entry, part: &'a Path) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("tallow/", env!("CARGO_PKG_VERSION")))
            // The bytes as they are published: a transparently unpacked answer would have another size and hash.
            .accept_encoding("identity")
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.read_timeout))
            .timeout_per_read(Some(options.read_timeout));
        Download { agent: config.build().new_agent(), options, entry, part }
    }

    /// Downloads from `url` until the `.part` file has all its bytes.
    pub(crate) fn from(&self, url: &str, progress: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
        let mut failures = 0;
        let mut answered = false;
        loop {
            let before = self.have()?;
            if before == self.entry.bytes {
                return Ok(());
            }
            let (what, wait) = match self.attempt(url, before, progress) {
                Ok(()) => return Ok(()),
                Err(Cut::Failed(failure)) => return Err(failure),
                // On a machine without network, waiting for it would only keep the user from the message. In the middle
                // of a download the network comes back more often than not.
                Err(Cut::Unreachable(what)) if !answered => return Err(Failure::Source(what)),
                Err(Cut::Unreachable(what)) => (what, Duration::ZERO),
                Err(Cut::Again(what, wait)) => (what, wait),
            };
            let have = self.have()?;
            answered |= have > before;
            failures = if have >= before + WORTHWHILE { 1 } else { failures + 1 };
            if failures >= self.options.attempts {
                return Err(Failure::Source(what));
            }
            let wait = wait.max(self.options.backoff * 2u32.pow((failures - 1).min(6))).min(LONGEST_WAIT);
            progress(Progress::Retrying { url, what: &what, wait });
            std::thread::sleep(wait);
        }
    }

    /// One request: everything from byte `have` on.
    fn attempt(&self, url: &str, have: u64, progress: &mut dyn FnMut(Progress)) -> Result<(), Cut> {
        let mut request = self.agent.get(url).config().https_only(url.starts_with("https://"));
        if !url.starts_with("https://") {
            // Plain http is for this machine only, and a proxy is not on the way there.
            request = request.proxy(None);
        }
        let mut request = request.build();
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = request.call().map_err(unanswered)?;

        let status = response.status();
        match status {
            StatusCode::OK => self.receive(response, url, 0, progress),
            StatusCode::PARTIAL_CONTENT if starts_at(&response) == Some(have) => {
                self.receive(response, url, have, progress)
            }
            // The source does not have the bytes that we ask for, or sends others: begin anew.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
                self.truncate(0)?;
                Err(again(format!("it cannot resume at byte {have}")))
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(Cut::Again(status.to_string(), retry_after(&response)))
            }
            _ if status.is_server_error() => Err(Cut::Again(status.to_string(), retry_after(&response))),
            _ => Err(Cut::Failed(Failure::Source(status.to_string()))),
        }
    }

    /// Writes the answer's body to the `.part` file from byte `from` on.
    fn receive(
        &self,
        response: Response<Body>,
        url: &str,
        from: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Cut> {
        let (file, bytes) = (&*self.entry.name, self.entry.bytes);
        if let Some(length) = response.body().content_length().filter(|length| from + length != bytes) {
            return Err(self.wrong_size(format!("{} bytes", from + length)));
        }
        let mut part = self.truncate(from)?;
        progress(Progress::Connected { file, url, done: from, bytes });
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut done = from;
        loop {
            let n = match body.read(&mut buffer) {
                Ok(0) if done == bytes => break,
                Ok(0) => return Err(again(format!("the connection ended after {done} of {bytes} bytes"))),
                Ok(n) => n,
                Err(error) => return Err(again(format!("{error} after {done} of {bytes} bytes"))),
            };
            if done + n as u64 > bytes {
                drop(part);
                self.truncate(0)?;
                return Err(self.wrong_size(format!("more than {bytes} bytes")));
            }
            part.write_all(&buffer[..n]).map_err(|source| self.ours("write", source))?;
            done += n as u64;
            progress(Progress::Received { file, done, bytes });
        }
        part.sync_all().map_err(|source| self.ours("write", source))?;
        Ok(())
    }

    /// How much of the file is here. More than the whole cannot be a part of it, and is dropped.
    fn have(&self) -> Result<u64, Failure> {
        let length = match std::fs::metadata(self.part) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(source) => return Err(Failure::Ours(Error::io("read", self.part)(source))),
        };
        if length > self.entry.bytes {
            std::fs::remove_file(self.part).map_err(|source| Failure::Ours(Error::io("remove", self.part)(source)))?;
            return Ok(0);
        }
        Ok(length)
    }

    /// Opens the `.part` file for appending at `length`, dropping what follows.
    fn truncate(&self, length: u64) -> Result<File, Cut> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.part)
            .and_then(|file| file.set_len(length).map(|()| file))
            .map_err(|source| self.ours("write", source))
    }

    fn ours(&self, action: &'static str, source: std::io::Error) -> Cut {
        Cut::Failed(Failure::Ours(Error::io(action, self.part)(source)))
    }

    fn wrong_size(&self, got: String) -> Cut {
        Cut::Failed(Failure::Wrong { expected: format!("{} bytes", self.entry.bytes), got })
    }
}

fn again(what: String) -> Cut {
    Cut::Again(what, Duration::ZERO)
}

/// Whether a request that got no answer is worth repeating.
fn unanswered(error: ureq::Error) -> Cut {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted, TimedOut, UnexpectedEof, WouldBlock};
    let what = error.to_string();
    match error {
        ureq::Error::Timeout(_) | ureq::Error::Protocol(_) => again(what),
        ureq::Error::Io(error) => match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | Interrupted | TimedOut | UnexpectedEof | WouldBlock => {
                again(what)
            }
            _ => Cut::Unreachable(what),
        },
        _ => Cut::Unreachable(what),
    }
}

/// The first byte of a partial answer, from `Content-Range: bytes 100-199/200`.
fn starts_at(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// The pause that the source asks for, where it gives one in seconds.
fn retry_after(response: &Response<Body>) -> Duration {
    let value = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Duration::from_secs(value.and_then(|value| value.trim().parse().ok()).unwrap_or(0))
}
