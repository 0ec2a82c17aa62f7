//! How a program ends: what it prints about an error, and its exit code.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use crate::error::{Error, Result};
use crate::text::visible;

/// The exit code of a program that Ctrl-C stopped, as shells know it.
pub(super) const INTERRUPTED: u8 = 130;

/// The exit code of a program whose run missed a target that it was required to reach.
pub(super) const TARGET_MISSED: u8 = 4;

/// The exit code of a program that ends with this error: 1 failed, 2 wrong usage, 3 data missing or damaged,
/// 130 interrupted. A missed target, 4, is not an error of the library; [`super::run_program`] returns it.
pub fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Usage(_) => 2,
        Error::Data(data) => match data.kind() {
            tallow_datasets::ErrorKind::Failed => 1,
            tallow_datasets::ErrorKind::Usage => 2,
            tallow_datasets::ErrorKind::Unavailable => 3,
        },
        Error::File { .. } | Error::Hub { .. } => 3,
        Error::Io { source, .. } if source.kind() == ErrorKind::NotFound => 3,
        Error::Interrupted(_) => INTERRUPTED,
        _ => 1,
    }
}

/// How a program ends: in silence, or with the error on stderr and its exit code. A reader that has closed the pipe, as
/// `head` does, is not an error.
pub fn exit(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(complain(&error)),
    }
}

/// Prints an error to stderr and returns its exit code; 0, in silence, for a closed pipe.
pub(super) fn complain(error: &Error) -> u8 {
    if matches!(error, Error::Io { source, .. } if source.kind() == ErrorKind::BrokenPipe) {
        return 0;
    }
    let _ = writeln!(std::io::stderr(), "{}", report_error(error));
    exit_code(error)
}

/// An error and what led to it, as `error: ...` and `  caused by: ...` lines. Causes that the message already tells are
/// left out, and control characters in names from outside are escaped.
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
    visible(&text).into_owned()
}
