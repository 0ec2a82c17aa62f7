//! The door: the arguments that all chapters share, and the `main` that all chapters have.
//!
//! A chapter's `main.rs` is one call:
//!
//! ```no_run
//! use clap::Parser;
//! use tallow::cli::{self, Chapter, CommonArgs, Session};
//!
//! /// Tells threes from sevens.
//! #[derive(Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     common: CommonArgs,
//! }
//!
//! impl AsRef<CommonArgs> for Args {
//!     fn as_ref(&self) -> &CommonArgs {
//!         &self.common
//!     }
//! }
//!
//! fn run(_args: &Args, session: &mut Session) -> tallow::Result<()> {
//!     session.run.section("1. Pixels");
//!     session.run.say("an image is an array of numbers");
//!     Ok(())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     cli::main(&Chapter::new("ch04_mnist", "A digit classifier"), run)
//! }
//! ```

mod args;
mod chores;
mod essay;
mod exit;
mod interrupt;
mod program;
mod session;

pub use crate::report::console;
pub use args::{CommonArgs, Seed};
pub use exit::{exit, exit_code, report_error};
pub use interrupt::{interrupter, stop_if_interrupted};
pub use program::{execute, main, run_program, run_to_exit_code};
pub use session::{Chapter, Session};
