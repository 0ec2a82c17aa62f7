//! The `main` of a chapter: arguments, Ctrl-C, errors and exit codes.

use std::io::Write;
use std::process::ExitCode;

use super::args::CommonArgs;
use super::exit::{INTERRUPTED, TARGET_MISSED, complain};
use super::interrupt::{interrupter, listen_for_interrupt};
use super::session::{Chapter, Session};
use crate::error::Result;
use crate::kernels;
use crate::report::Outcome;

/// Runs a chapter as a program: reads the arguments, listens for Ctrl-C, keeps the memory that it frees, runs it and
/// maps the result to an exit code: 0 well, 1 failed, 2 wrong usage, 3 data missing or damaged, 4 target missed, 130
/// interrupted.
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

/// [`main`], with arguments that were read already.
pub fn run_program<A: AsRef<CommonArgs>>(
    chapter: &Chapter,
    args: &A,
    run: fn(&A, &mut Session) -> Result<()>,
) -> ExitCode {
    ExitCode::from(run_to_exit_code(chapter, args, run))
}

/// [`run_program`], with the exit code as a number.
pub fn run_to_exit_code<A: AsRef<CommonArgs>>(
    chapter: &Chapter,
    args: &A,
    run: fn(&A, &mut Session) -> Result<()>,
) -> u8 {
    kernels::keep_freed_memory();
    listen_for_interrupt();
    match execute(chapter, args, run) {
        // A run that came to its end is reported; the caller still learns that it was asked to stop.
        Ok(_) if interrupter().is_interrupted() => INTERRUPTED,
        Ok(outcome) if args.as_ref().require_target && !outcome.missed.is_empty() => {
            let _ = writeln!(std::io::stderr(), "error: target missed: {}", outcome.missed.join("; "));
            TARGET_MISSED
        }
        Ok(_) => 0,
        Err(error) => complain(&error),
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
