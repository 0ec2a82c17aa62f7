//! How patiently datasets are fetched.

use std::time::Duration;

use tallow_io::download::Patience;

/// The patience of a [`Fetcher`](crate::Fetcher).
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

impl Options {
    /// The same for one source. One that asks for a longer pause than a minute is given up for the next.
    pub(crate) fn patience(&self) -> Patience {
        Patience { attempts: self.attempts, backoff: self.backoff, longest_wait: Duration::from_secs(60) }
    }
}
