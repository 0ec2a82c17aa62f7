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
//!     cli::main(&Chapter { name: "ch04_mnist", title: "A digit classifier" }, run)
//! }
//! ```

mod args;
mod program;
mod session;

pub use args::{CommonArgs, Seed};
pub use program::{execute, exit, main, report_error, run_program};
pub use session::{Chapter, Session};
