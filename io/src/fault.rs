//! Failures on demand, for tests: each step of reading and writing files asks [`point`] first.
//!
//! `TALLOW_FAULT=fail:7` lets the seventh step of a process fail as on a full disk, `TALLOW_FAULT=kill:7` ends the
//! process there. Programs that are built without debug assertions, as those that are given away, have no such steps.

use std::io;

/// A step that may be made to fail.
///
/// # Errors
/// The failure that was asked for.
pub fn point() -> io::Result<()> {
    if cfg!(debug_assertions) { asked_for::next() } else { Ok(()) }
}

mod asked_for {
    use std::io::{self, Write};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The step, and whether the process ends there.
    static STEP: LazyLock<Option<(u64, bool)>> = LazyLock::new(|| {
        let asked = std::env::var("TALLOW_FAULT").ok()?;
        let (what, step) = asked.split_once(':')?;
        Some((step.parse().ok()?, what == "kill"))
    });

    pub(super) fn next() -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Some((step, kill)) = *STEP else { return Ok(()) };
        match COUNT.fetch_add(1, Ordering::Relaxed) + 1 {
            now if now != step => Ok(()),
            _ => {
                let _ = writeln!(io::stderr(), "TALLOW_FAULT: step {step}");
                if kill {
                    std::process::abort();
                }
                Err(io::Error::new(io::ErrorKind::StorageFull, "asked for by TALLOW_FAULT"))
            }
        }
    }
}
