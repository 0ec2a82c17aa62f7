//! `tallow segment`: what each pixel of a picture shows.

mod pictures;
mod predict;
mod report;
mod train;

use std::process::ExitCode;
use tallow::cli;

/// Train a network that tells what each pixel shows, and use it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
                        tallow segment photos masks --codes codes.txt --out roads  a mask for each photo\n  \
                        tallow segment camvid --void Void --epochs 20              camvid/images, camvid/labels\n  \
                        tallow segment predict roads street.jpg --out found        the masks of photos\n\n\
                        `tallow segment IMAGES MASKS` is short for `tallow segment train IMAGES MASKS`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train a network on pictures with masks
    Train(Box<train::TrainArgs>),
    /// Write the masks of photos
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
