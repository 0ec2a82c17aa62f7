//! `tallow text`: the class of a text.

mod coloured;
mod judged;
mod network;
pub(crate) mod predict;
mod texts;
mod train;
mod transformer;

use std::process::ExitCode;
use tallow::cli;

/// Train a classifier of texts, and use it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
                        tallow text reviews.csv --text review --target mood --out moods\n  \
                        tallow text reviews                    a folder: pos/1.txt, neg/2.txt, ...\n  \
                        tallow text predict moods \"What a film!\" --words    its class, and which words decide\n  \
                        tallow text predict moods --file new.csv --text review --out guessed.csv\n\n\
                        `tallow text FILE` is short for `tallow text train FILE`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train a classifier on texts
    Train(Box<train::TrainArgs>),
    /// Tell the classes of other texts
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
