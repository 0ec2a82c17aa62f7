//! What the library tells the outside while it works. The library itself prints nothing: it sends events to a
//! listener, and [`crate::cli`] draws them as progress bars and tables.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that happened, or is about to.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A piece of work of `total` steps begins, for example the batches of an epoch.
    Begin {
        /// What the work is, in a few words.
        task: &'a str,
        /// Its number of steps.
        total: usize,
    },
    /// The work in hand has reached step `done`.
    Progress {
        /// Steps done, of the total.
        done: usize,
        /// A few words on how it goes, such as the loss.
        note: &'a str,
    },
    /// The work in hand has ended.
    End,
    /// A table begins; these are its column heads.
    Columns(&'a [String]),
    /// One row of that table.
    Row(&'a [String]),
    /// Something a user should know.
    Note(&'a str),
}

/// Somebody who is told of events.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(Event<'_>) + Send + Sync>);

impl Listener {
    /// A listener that calls `f` with each event, in order.
    pub fn new(f: impl Fn(Event<'_>) + Send + Sync + 'static) -> Listener {
        Listener(Arc::new(f))
    }

    /// Tells the listener of one event.
    pub fn tell(&self, event: Event<'_>) {
        (self.0)(event)
    }
}

impl Default for Listener {
    /// Nobody listens.
    fn default() -> Listener {
        Listener::new(|_| {})
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

/// An error if somebody has asked for a stop.
///
/// # Errors
/// [`Error::Interrupted`], which ends a program with exit code 130.
pub fn stop_if_interrupted() -> Result<()> {
    if interrupted() { Err(Error::Interrupted(String::new())) } else { Ok(()) }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Asks all work in this process to stop at the next safe point. Ctrl-C calls this.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// Whether somebody has asked for a stop. Long loops look here between two steps.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
