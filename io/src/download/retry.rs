//! When a failed attempt is worth another, and when it is not.

use std::time::{Duration, Instant};

use super::{Observer, Progress};
use crate::error::Error;
use crate::hash::Mismatch;

/// Polling interval for interrupts while waiting.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The number of attempts, and the pauses between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often in a row a source may fail.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from one attempt to the next.
    pub backoff: Duration,
    /// The longest pause. A source that asks for a longer one is given up.
    pub longest_wait: Duration,
}

/// How an attempt failed.
#[derive(Debug)]
pub enum Cut {
    /// Worth another attempt, after at least this pause.
    Again(String, Duration),
    /// The address does not answer: no such host, no server, no trust.
    Unreachable(String),
    /// Not worth another attempt.
    Failed(Failure),
}

/// Why a source did not deliver.
#[derive(Debug)]
pub enum Failure {
    /// It refuses, or does not have the file; another source may.
    Refused {
        /// What it said.
        what: String,
        /// What the user can do, if that is known.
        remedy: Option<String>,
    },
    /// It cannot be reached, or failed too often.
    GivenUp {
        /// The last attempt's failure.
        what: String,
        /// The number of attempts that failed in a row; 1 where a second one had no hope.
        attempts: u32,
    },
    /// It delivered something else.
    Wrong(Mismatch),
    /// The fault is on this machine, so another source cannot help.
    Ours(Error),
    /// The user stopped it.
    Interrupted,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Ours(error)
    }
}

impl From<Failure> for Cut {
    fn from(failure: Failure) -> Cut {
        Cut::Failed(failure)
    }
}

impl Cut {
    /// A [`Cut::Again`] after the usual pause.
    pub fn again(what: impl Into<String>) -> Cut {
        Cut::Again(what.into(), Duration::ZERO)
    }

    /// A [`Failure::Refused`] without a remedy.
    pub fn refused(what: impl Into<String>) -> Cut {
        Cut::Failed(Failure::Refused { what: what.into(), remedy: None })
    }
}

/// Counts the failures of one source.
pub struct Retry<'a> {
    patience: &'a Patience,
    failures: u32,
    has_answered: bool,
}

impl<'a> Retry<'a> {
    /// A count of zero.
    pub fn new(patience: &'a Patience) -> Retry<'a> {
        Retry { patience, failures: 0, has_answered: false }
    }

    /// Asks again and again until there is an answer or no hope.
    ///
    /// # Errors
    /// [`Failure`] of the last attempt.
    pub fn insist<T>(
        &mut self,
        observer: &mut dyn Observer,
        ask: &mut dyn FnMut() -> Result<T, Cut>,
    ) -> Result<T, Failure> {
        loop {
            match ask() {
                Ok(answer) => {
                    self.succeeded();
                    return Ok(answer);
                }
                Err(cut) => self.failed(cut, observer)?,
            }
        }
    }

    /// The source has answered, so that silence is a disturbance and not its nature.
    pub(super) fn answered(&mut self) {
        self.has_answered = true;
    }

    /// The attempt was of use: the failures before it no longer count.
    pub(super) fn succeeded(&mut self) {
        self.answered();
        self.failures = 0;
    }

    /// Pauses before the next attempt, if there is to be one.
    pub(super) fn failed(&mut self, cut: Cut, observer: &mut dyn Observer) -> Result<(), Failure> {
        let (what, wait) = match cut {
            Cut::Failed(failure) => return Err(failure),
            // On a machine without network, waiting for it would only keep the user from the message. In the middle of
            // a download the network comes back more often than not.
            Cut::Unreachable(what) if !self.has_answered => return Err(Failure::GivenUp { what, attempts: 1 }),
            Cut::Unreachable(what) => (what, Duration::ZERO),
            Cut::Again(what, wait) => (what, wait),
        };
        self.failures += 1;
        let Patience { attempts, backoff, longest_wait } = *self.patience;
        if wait > longest_wait {
            let what = format!("{what}, and asks to wait for {} s", wait.as_secs());
            return Err(Failure::GivenUp { what, attempts: 1 });
        }
        if self.failures >= attempts {
            return Err(Failure::GivenUp { what, attempts: self.failures });
        }
        let wait = wait.max(backoff * 2u32.pow((self.failures - 1).min(6))).min(longest_wait);
        observer.tell(Progress::Retrying { what: &what, wait });
        pause(wait, observer)
    }
}

/// Waits, unless the user wants to stop.
pub(super) fn pause(time: Duration, observer: &dyn Observer) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        if observer.is_interrupted() {
            return Err(Failure::Interrupted);
        }
        match time.checked_sub(start.elapsed()) {
            Some(left) => std::thread::sleep(left.min(POLL_INTERVAL)),
            None => return Ok(()),
        }
    }
}
