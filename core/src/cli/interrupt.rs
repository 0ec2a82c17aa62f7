//! Ctrl-C.

use std::io::Write;
use std::sync::LazyLock;

use super::exit::INTERRUPTED;
use crate::error::{Error, Result};
use crate::event::Interrupter;

/// The token by which Ctrl-C stops the work of this process. [`super::Session`] gives it to everything that it runs.
pub fn interrupter() -> &'static Interrupter {
    static PROCESS: LazyLock<Interrupter> = LazyLock::new(Interrupter::default);
    &PROCESS
}

/// Fails if Ctrl-C has been pressed: for loops of a chapter's own.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn stop_if_interrupted() -> Result<()> {
    if interrupter().is_interrupted() { Err(Error::Interrupted(String::new())) } else { Ok(()) }
}

/// The first Ctrl-C asks the work to stop at a safe point; a second one, before it has, stops the program where it is.
pub(super) fn listen_for_interrupt() {
    let handler = || {
        if interrupter().is_interrupted() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        interrupter().interrupt();
        let _ = writeln!(std::io::stderr(), "\nstopping at the next safe point; press again to stop at once");
    };
    // Without a handler Ctrl-C stops the program at once, which is what it does everywhere else.
    let _ = ctrlc::set_handler(handler);
}
