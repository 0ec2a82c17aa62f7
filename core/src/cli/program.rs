//! The `main` of a chapter: arguments, Ctrl-C, errors and exit codes.

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args::CommonArgs;
use super::session::{Chapter, Session};
use crate::error::{Error, Result};
use crate::event;
use crate::kernels;
use crate::report::Outcome;

/// The exit code of a program that Ctrl-C stopped, as shells know it.
const INTERRUPTED: u8 = 130;

/// Runs a chapter as a program: reads the arguments, listens for Ctrl-C, keeps the memory that it frees, runs, and says with the exit code how it went:
/// 0 well, 1 failed, 2 wrong usage, 3 data missing or damaged, 4 target missed, 130 interrupted.
pub fn main<A>(chapter: &Chapter, run: fn(&A, &mut Session) -> Result<()>) -> ExitCode
where
    A: clap::Parser + AsRef<CommonArgs>,
{
    let args = match A::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // `--help` and `--version` come here too: they go to stdout, and are no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    run_program(chapter, &args, run)
}

/// As [`main`], with arguments that were read already.
pub fn run_program<A: AsRef<CommonArgs>>(
    chapter: &Chapter,
    args: &A,
    run: fn(&A, &mut Session) -> Result<()>,
) -> ExitCode {
    kernels::keep_freed_memory();
    listen_for_interrupt();
    match execute(chapter, args, run) {
        // What ran to its end is reported; that somebody wanted it to stop is still told to the caller.
        Ok(_) if event::interrupted() => ExitCode::from(INTERRUPTED),
        other => exit(other.map(drop)),
    }
}

/// How a program ends: in silence, or with the error on stderr and its exit code.
pub fn exit(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}", report_error(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs a chapter within this process, as [`main`] does after it has read the arguments.
///
/// # Errors
/// What the chapter fails with, and what [`Session::open`] and [`Run::finish`](crate::report::Run::finish) fail with.
pub fn execute<A: AsRef<CommonArgs>>(
    chapter: &Chapter,
    args: &A,
    run: fn(&A, &mut Session) -> Result<()>,
) -> Result<Outcome> {
    let mut session = Session::open(chapter, args.as_ref())?;
    run(args, &mut session)?;
    session.run.finish()
}

/// An error and what led to it, as `error: ...` and `  caused by: ...` lines. Causes that the message already tells are
/// left out.
pub fn report_error(error: &Error) -> String {
    let mut text = format!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(&format!("\n  caused by: {words}"));
        }
        cause = error.source();
    }
    text
}

/// The first Ctrl-C asks the work to stop at a safe point, the second stops the program where it is.
fn listen_for_interrupt() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let handler = || {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        event::interrupt();
        let _ = writeln!(std::io::stderr(), "\nstopping at the next safe point; press again to stop at once");
    };
    // Without a handler Ctrl-C stops the program at once, which is what it does everywhere else.
    let _ = ctrlc::set_handler(handler);
}
