//! What the library reports while it works, and how it is asked to stop. The library itself prints nothing: it sends
//! events to a [`Listener`], and [`crate::cli`] draws them as progress bars and tables.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that happened, or is about to.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A task of `total` steps begins, for example the batches of an epoch. [`Listener::task`] sends this.
    Begin {
        /// The task in a few words.
        task: &'a str,
        /// Its number of steps.
        total: usize,
    },
    /// The current task has reached step `done`.
    Progress {
        /// Steps done, of the total.
        done: usize,
        /// A few words on how it goes, such as the loss.
        note: &'a str,
    },
    /// The current task has ended, well or badly.
    End,
    /// A table begins; these are its column heads.
    Columns(&'a [String]),
    /// One row of that table.
    Row(&'a [String]),
    /// Something a user should know.
    Note(&'a str),
}

/// Receives events, and carries the request to stop. Clones share both. The default one ignores all events and is never
/// interrupted.
#[derive(Clone)]
pub struct Listener {
    receive: Arc<dyn Fn(Event<'_>) + Send + Sync>,
    interrupter: Interrupter,
}

impl Listener {
    /// A listener that calls `receive` with each event, in order.
    pub fn new(receive: impl Fn(Event<'_>) + Send + Sync + 'static) -> Listener {
        Listener { receive: Arc::new(receive), interrupter: Interrupter::default() }
    }

    /// Work that reports to this listener also stops when `interrupter` says so.
    #[must_use]
    pub fn interrupter(self, interrupter: &Interrupter) -> Listener {
        Listener { interrupter: interrupter.clone(), ..self }
    }

    /// Sends one event.
    pub fn tell(&self, event: Event<'_>) {
        (self.receive)(event)
    }

    /// Begins a task of `total` steps. It ends when the returned value is dropped, also when an error leaves the
    /// function that holds it.
    #[must_use = "the task ends when this is dropped"]
    pub fn task(&self, task: &str, total: usize) -> Task {
        self.tell(Event::Begin { task, total });
        Task { listener: self.clone() }
    }

    /// Fails if a stop has been asked for since the last time that this failed. Long loops call it between two steps,
    /// where nothing is half done.
    ///
    /// # Errors
    /// [`Error::Interrupted`]. It takes the request with it, so that the next piece of work in this process runs.
    pub fn stop_if_interrupted(&self) -> Result<()> {
        if self.interrupter.take() { Err(Error::Interrupted(String::new())) } else { Ok(()) }
    }

    /// Takes the request to stop, if there is one: a caller that gets `true` stops.
    pub(crate) fn take_interrupt(&self) -> bool {
        self.interrupter.take()
    }
}

impl Default for Listener {
    fn default() -> Listener {
        Listener::new(|_| {})
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

/// A task under way, from [`Listener::task`]. Dropping it sends [`Event::End`].
#[derive(Debug)]
pub struct Task {
    listener: Listener,
}

impl Task {
    /// Reports that `done` steps are done.
    pub fn progress(&self, done: usize, note: &str) {
        self.listener.tell(Event::Progress { done, note });
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.listener.tell(Event::End);
    }
}

/// A token by which work is asked to stop at the next safe point: a Ctrl-C handler, a window's button or a server's
/// shutdown holds one clone, the [`Listener`] of the work the other. The default one is connected to nothing.
///
/// ```
/// use tallow::event::{Interrupter, Listener};
///
/// let stop = Interrupter::default();
/// let listener = Listener::default().interrupter(&stop);
/// stop.interrupt(); // in another thread
/// assert!(listener.stop_if_interrupted().is_err());
/// assert!(listener.stop_if_interrupted().is_ok()); // the request has been met: the next fit runs
/// ```
#[derive(Debug, Clone, Default)]
pub struct Interrupter(Arc<AtomicBool>);

impl Interrupter {
    /// Asks for a stop.
    pub fn interrupt(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether a stop has been asked for and nothing has stopped yet.
    pub fn is_interrupted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}
