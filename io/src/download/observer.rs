//! What a download reports while it goes on.

use std::time::Duration;

/// A report from a download.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Another process is downloading the same thing, and is waited for.
    Waiting,
    /// The source answers, from byte `done` on.
    Connected {
        /// Bytes that are here already.
        done: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// More of the file is here.
    Received {
        /// Bytes that are here.
        done: u64,
        /// Bytes in all.
        bytes: u64,
    },
    /// The source is asked again, after `wait`.
    Retrying {
        /// What went wrong.
        what: &'a str,
        /// The pause before the next attempt.
        wait: Duration,
    },
}

/// Receives the reports of a download. Any `FnMut(Progress)` is one.
pub trait Observer {
    /// Receives a report.
    fn tell(&mut self, progress: Progress);

    /// Whether the user wants to stop. It is asked ten times a second during pauses.
    fn is_interrupted(&self) -> bool {
        false
    }
}

impl<F: FnMut(Progress)> Observer for F {
    fn tell(&mut self, progress: Progress) {
        self(progress);
    }
}
