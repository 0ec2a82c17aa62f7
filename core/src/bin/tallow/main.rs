//! `tallow`: the library's main job on the command line. A folder of photos becomes a classifier, which predicts, is
//! evaluated, and shows what it looks at.
//!
//! Each command has a file of its own here, which is also an example of how the library is used.

mod balance;
mod best;
mod check;
mod evaluate;
mod explain;
mod judged;
mod model;
mod multi_label;
mod one_class;
mod overwrite;
mod photos;
mod predict;
#[cfg(feature = "drawings")]
mod sample;
mod settings;
mod train;
mod transforms;
mod trust;

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;
use tallow::text::visible;
use tallow::{Error, Result, cli, kernels};

/// Train an image classifier on your photos, and use it.
#[derive(Parser)]
#[command(
    name = "tallow",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  \
                  tallow sample drawings                    no photos at hand: a folder of drawings\n  \
                  tallow check photos                       which files cannot be read, which are there twice\n  \
                  tallow train photos --out pets            a folder for each class; minutes on a CPU\n  \
                  tallow train photos --out more --epochs 3 then train the whole network too\n  \
                  tallow evaluate pets more_photos          accuracy, confusion, the worst mistakes\n  \
                  tallow predict pets cat.jpg holiday/      what each photo shows\n  \
                  tallow explain pets cat.jpg               what the network sees, and where it looks\n\n\
                  From the source tree: `cargo run -p tallow -- train photos`"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train a classifier on a folder of photos
    Train(train::Args),
    /// Say what photos show
    Predict(predict::Args),
    /// Evaluate a classifier on photos whose classes are known
    Evaluate(evaluate::Args),
    /// Show a photo as the network sees it, and which parts of it decide
    Explain(explain::Args),
    /// Find the files in a folder that are no photos, copies, and photos that show nothing
    Check(check::Args),
    /// Write small data to try this program with: drawings, scenes with masks, tables, ratings
    #[cfg(feature = "drawings")]
    Sample(sample::Args),
}

fn main() -> ExitCode {
    kernels::keep_freed_memory();
    match Cli::parse().command {
        Command::Train(args) => match train::check(&args) {
            Ok(()) => cli::run_program(&train::PROGRAM, &args, train::run),
            refused => cli::exit(refused),
        },
        Command::Evaluate(args) => match evaluate::check(&args) {
            Ok(()) => cli::run_program(&evaluate::PROGRAM, &args, evaluate::run),
            refused => cli::exit(refused),
        },
        Command::Predict(args) => cli::exit(predict::run(&args)),
        Command::Explain(args) => cli::exit(explain::run(&args)),
        Command::Check(args) => cli::exit(check::run(&args)),
        #[cfg(feature = "drawings")]
        Command::Sample(args) => cli::exit(sample::run(&args)),
    }
}

/// A result, to stdout.
fn say(line: impl AsRef<str>) -> Result<()> {
    writeln!(std::io::stdout(), "{}", visible(line.as_ref())).map_err(Error::io("standard output"))
}
