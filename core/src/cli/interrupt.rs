//! Ctrl-C, and the signals by which systems end a program.

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
/// SIGTERM, of services and containers, and SIGHUP, of a terminal that closes, are the same.
pub(super) fn listen_for_interrupt() {
    // Without a handler Ctrl-C stops the program at once, which is what it does everywhere else.
    let _ = ctrlc::set_handler(|| stop("press again to stop at once"));
    #[cfg(unix)]
    listen_for_other_signals();
}

fn stop(again: &str) {
    if interrupter().is_interrupted() {
        std::process::exit(i32::from(INTERRUPTED));
    }
    interrupter().interrupt();
    let _ = writeln!(std::io::stderr(), "\nstopping at the next safe point; {again}");
}

#[cfg(unix)]
fn listen_for_other_signals() {
    use signal_hook::consts::{SIGHUP, SIGTERM};
    use std::io::IsTerminal;
    // `nohup` has a program go on without its terminal, and puts a file in the place of stderr.
    let hangs_up = std::io::stderr().is_terminal();
    let signals = if hangs_up { &[SIGTERM, SIGHUP][..] } else { &[SIGTERM] };
    let Ok(mut signals) = signal_hook::iterator::Signals::new(signals) else { return };
    std::thread::spawn(move || signals.forever().for_each(|_| stop("send the signal again to stop at once")));
}
