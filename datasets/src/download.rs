//! The bytes of a file over HTTP.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use tallow_io::download::{ByteSource, Cut, Failure, Part};
use tallow_io::hash::Mismatch;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use crate::http;
use crate::options::Options;

/// An address that a file is downloaded from.
pub(crate) struct HttpSource<'a> {
    agent: Agent,
    url: &'a str,
    /// How long a source may send less than [`SLOWEST`] bytes a second.
    patience: Duration,
}

/// The fewest bytes a second that are worth waiting for.
const SLOWEST: u32 = 1_000;

impl<'a> HttpSource<'a> {
    pub(crate) fn new(options: &Options, url: &'a str) -> Self {
        let settings = http::settings(options.connect_timeout, options.read_timeout)
            // The bytes as they are published: a transparently unpacked answer would have another size and hash.
            .accept_encoding("identity");
        HttpSource { agent: settings.build().new_agent(), url, patience: options.read_timeout }
    }
}

impl ByteSource for HttpSource<'_> {
    /// One request: everything from the end of the part on.
    fn bring(&mut self, part: &mut Part) -> Result<(), Cut> {
        let have = part.len();
        let mut request = http::get(&self.agent, self.url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = request.call().map_err(unanswered)?;

        let status = response.status();
        match status {
            StatusCode::OK => receive(response, 0, part, self.patience),
            StatusCode::PARTIAL_CONTENT if starts_at(&response) == Some(have) => {
                receive(response, have, part, self.patience)
            }
            // The source does not have the bytes that we ask for, or sends others: begin anew.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
                part.truncate(0)?;
                Err(Cut::again(format!("it cannot resume at byte {have}")))
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(Cut::Again(status.to_string(), retry_after(&response)))
            }
            _ if status.is_server_error() => Err(Cut::Again(status.to_string(), retry_after(&response))),
            _ => Err(Cut::refused(status.to_string())),
        }
    }
}

/// Appends the answer's body, which begins at byte `from`, to the part.
fn receive(response: Response<Body>, from: u64, part: &mut Part, patience: Duration) -> Result<(), Cut> {
    let bytes = part.bytes();
    if let Some(length) = response.body().content_length().filter(|length| from + length != bytes) {
        let (expected, got) = (format!("{bytes} bytes"), format!("{} bytes", from + length));
        return Err(Failure::Wrong(Mismatch { expected, got }).into());
    }
    part.truncate(from)?;
    part.connected();
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    // A byte now and then would keep a connection open for ever.
    let (mut since, mut had) = (Instant::now(), part.len());
    loop {
        let done = part.len();
        if done < bytes && since.elapsed() >= patience {
            if ((done - had) as f64) < f64::from(SLOWEST) * since.elapsed().as_secs_f64() {
                return Err(Cut::refused(format!("it sends less than {SLOWEST} bytes a second")));
            }
            (since, had) = (Instant::now(), done);
        }
        match body.read(&mut buffer) {
            Ok(0) if done == bytes => return Ok(()),
            Ok(0) => return Err(Cut::again(format!("the connection ended after {done} of {bytes} bytes"))),
            Ok(n) => part.append(&buffer[..n])?,
            Err(error) => return Err(Cut::again(format!("{error} after {done} of {bytes} bytes"))),
        }
    }
}

/// Whether a request that got no answer is worth repeating.
fn unanswered(error: ureq::Error) -> Cut {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted, TimedOut, UnexpectedEof, WouldBlock};
    let what = error.to_string();
    match error {
        ureq::Error::Timeout(_) | ureq::Error::Protocol(_) => Cut::again(what),
        ureq::Error::Io(error) => match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | Interrupted | TimedOut | UnexpectedEof | WouldBlock => {
                Cut::again(what)
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
