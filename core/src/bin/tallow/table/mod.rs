//! `tallow table`: a column of a table, predicted by the others.

mod columns;
mod predict;
mod report;
mod train;

use std::process::ExitCode;
use tallow::cli;

/// Train a network on a table, and use it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
                        tallow table adult.csv --target salary --out income     other columns are guessed, and told\n  \
                        tallow table predict income new.csv --out guessed.csv   a column more in each row\n  \
                        tallow table predict income --set age=39 --set education=Masters\n\n\
                        `tallow table FILE` is short for `tallow table train FILE`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train a network on a table
    Train(Box<train::TrainArgs>),
    /// Predict the rows of another table, or one row
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
