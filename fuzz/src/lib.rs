//! Everything of Tallow that reads a file, as targets for hostile inputs: a function from bytes to an answer, which
//! is never a panic, never a surprise, within two seconds and 512 MB.
//!
//! `cargo test` gives each a few hundred inputs, the same each time; `cargo xtask fuzz --hours 8` as many as there is
//! time for, by the program of this package, which keeps what it finds; and `libfuzzer/` lets libFuzzer guide them by
//! the code that they reach.

mod mutate;
mod panics;
mod pool;
mod targets;

pub use mutate::mutate;
pub use pool::Pool;
pub use targets::{Change, TARGETS, Target};

use std::path::Path;
use std::time::{Duration, Instant};

/// The longest that one input may take.
pub const TIME: Duration = Duration::from_secs(2);

/// The most memory that a run may take, in bytes.
pub const MEMORY: usize = 512 << 20;

/// A folder for the files of a run, in memory where the system has such a place.
///
/// # Errors
/// When none can be made.
pub fn scratch() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

/// The answer to an input.
pub enum Answer {
    /// As it should be; the words tell like inputs from others.
    Fine(String),
    /// A fault of ours, in words.
    Fault(String),
}

impl Target {
    /// Gives one input to the target. A panic in a file of ours is a fault, also where it was caught.
    pub fn answer(&self, input: &[u8], folder: &Path) -> Answer {
        let begin = Instant::now();
        let result = panics::watched(|| (self.run)(input, folder));
        let took = begin.elapsed();
        match result.and_then(|answer| answer) {
            Err(fault) => Answer::Fault(fault),
            Ok(_) if took > TIME => Answer::Fault(format!("{:.1} s", took.as_secs_f64())),
            Ok(words) => Answer::Fine(words),
        }
    }
}
