//! `tallow ratings`: who will like what.

pub(crate) mod predict;
mod train;

use crate::say;
use std::process::ExitCode;
use tallow::cli;

/// Train a model of ratings, and use it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
                        tallow ratings ratings.csv --titles movies.csv --out films   a line for each rating\n  \
                        tallow ratings predict films --user 7 --top 10               what a user will like\n  \
                        tallow ratings predict films --similar \"Toy Story (1995)\"    what is like it\n\n\
                        `tallow ratings FILE` is short for `tallow ratings train FILE`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train a model on a table of ratings
    Train(Box<train::TrainArgs>),
    /// Recommend items, and predict ratings
    Predict(predict::PredictArgs),
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match &args.command {
        Command::Train(args) => match train::check(args) {
            Ok(()) => cli::run_program(&train::PROGRAM, &**args, train::run),
            refused => cli::exit(refused),
        },
        Command::Predict(args) => cli::exit(predict::run(args)),
    }
}
