//! `tallow`: the library's main job on the command line. A folder of photos becomes a classifier, which predicts, is
//! evaluated, and shows what it looks at.
//!
//! Each command has a file of its own here, which is also an example of how the library is used.

mod balance;
mod best;
mod check;
mod clean;
mod evaluate;
mod explain;
mod export;
mod judged;
mod judgements;
mod merge;
mod model;
mod multi_label;
mod one_class;
mod overwrite;
mod part;
mod photos;
mod precision;
mod predict;
mod predictions;
mod ranks;
mod ratings;
#[cfg(feature = "drawings")]
mod sample;
mod scoring;
mod segment;
#[cfg(feature = "serve")]
mod serve;
mod settings;
mod shard;
mod similar;
mod table;
mod table_file;
mod text;
mod train;
mod transforms;
mod trust;
mod values;
#[cfg(feature = "serve")]
mod web;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use tallow::text::{visible, visible_json, visible_line};
use tallow::{Error, Result, cli, kernels};

/// Train an image classifier on your photos, and use it.
#[derive(Parser)]
#[command(
    name = "tallow",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  \
                  tallow sample drawings                    no photos yet: a folder of drawings\n  \
                  tallow check photos                       which files cannot be read, which are there twice\n  \
                  tallow train photos --out pets            a folder for each class; minutes on a CPU\n  \
                  tallow train photos --out more --epochs 3 then train the whole network too\n  \
                  tallow evaluate pets more_photos          accuracy, confusion, the worst mistakes\n  \
                  tallow predict pets cat.jpg holiday/      what each photo shows\n  \
                  tallow explain pets cat.jpg               what the network sees, and where it looks\n  \
                  tallow clean pets photos                  which labels are probably wrong, copies, odd photos\n  \
                  tallow similar pets cat.jpg holiday       which photos look like it\n  \
                  tallow serve pets                         a page for everybody, and an interface for programs\n  \
                  tallow export pets --onnx pets.onnx       for Python, browsers, phones\n  \
                  tallow segment photos masks               what each pixel shows\n  \
                  tallow table adult.csv --target salary    a column of a table, predicted by the others\n  \
                  tallow ratings ratings.csv                who will like what\n  \
                  tallow text reviews.csv --text review --target mood    the class of a text\n\n\
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
    /// Make one table of the parts that several `tallow predict --shard` have written
    Merge(merge::Args),
    /// Evaluate a classifier on photos whose classes are known
    Evaluate(evaluate::Args),
    /// Show a photo as the network sees it, and which parts of it decide
    Explain(explain::Args),
    /// Write a model as ONNX, for programs in other languages, with a card that says what it is
    Export(export::Args),
    /// Find the files in a folder that are not photos, copies, and photos that show nothing
    Check(check::Args),
    /// Find wrong labels, copies and odd photos by a model, and clean the folder in a way that can be undone
    Clean(clean::Args),
    /// Find the photos of a folder that look most like one
    Similar(similar::Args),
    /// Put models behind a web address, with a page to try them on
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    /// Train a network that tells what each pixel shows, and write masks by it
    Segment(segment::Args),
    /// Train a network on a table, and predict a column of others
    Table(table::Args),
    /// Train a model of ratings on a table, and recommend by it
    Ratings(ratings::Args),
    /// Train a classifier on texts, and tell the classes of others
    Text(text::Args),
    /// Write small data to try this program with: drawings, scenes with masks, tables, ratings
    #[cfg(feature = "drawings")]
    Sample(sample::Args),
}

fn main() -> ExitCode {
    kernels::keep_freed_memory();
    match Cli::parse_from(spelt_out(std::env::args_os().collect())).command {
        Command::Train(args) => ranks::train(args),
        Command::Evaluate(args) => match evaluate::check(&args) {
            Ok(()) => cli::run_program(&evaluate::PROGRAM, &args, evaluate::run),
            refused => cli::exit(refused),
        },
        Command::Predict(args) => cli::exit(predict::run(&args)),
        Command::Merge(args) => cli::exit(merge::run(&args)),
        Command::Explain(args) => cli::exit(explain::run(&args)),
        Command::Export(args) => cli::exit(export::run(&args)),
        Command::Similar(args) => cli::exit(similar::run(&args)),
        Command::Check(args) => cli::exit(check::run(&args)),
        Command::Clean(args) => clean::main(&args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => cli::exit(serve::run(&args)),
        Command::Segment(args) => segment::run(&args),
        Command::Table(args) => table::run(&args),
        Command::Ratings(args) => ratings::run(&args),
        Command::Text(args) => text::run(&args),
        #[cfg(feature = "drawings")]
        Command::Sample(args) => cli::exit(sample::run(&args)),
    }
}

/// `tallow ratings FILE` is short for `tallow ratings train FILE`, since training is what a kind of data is there for.
fn spelt_out(mut args: Vec<OsString>) -> Vec<OsString> {
    const KINDS: [&str; 4] = ["segment", "table", "ratings", "text"];
    const OTHERS: [&str; 5] = ["train", "predict", "help", "--help", "-h"];
    let is =
        |at: usize, words: &[&str]| args.get(at).and_then(|arg| arg.to_str()).is_some_and(|arg| words.contains(&arg));
    if is(1, &KINDS) && args.len() > 2 && !is(2, &OTHERS) {
        args.insert(2, "train".into());
    }
    args
}

/// A folder as a user in the current one would name it.
fn shown(folder: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    folder.strip_prefix(here).ok().filter(|inside| *inside != Path::new("")).unwrap_or(folder)
}

/// A result, to stdout.
fn say(line: impl AsRef<str>) -> Result<()> {
    writeln!(std::io::stdout(), "{}", visible(line.as_ref())).map_err(Error::io("standard output"))
}

/// A result of one line, to stdout: a line end in a name from outside begins no other one.
fn say_line(line: impl AsRef<str>) -> Result<()> {
    say(visible_line(line.as_ref()))
}

/// Prints a table of comma-separated values. Programs find the files by the names in it, so what a terminal must not
/// see is escaped for a terminal alone.
fn say_csv(table: &str) -> Result<()> {
    let mut stdout = std::io::stdout();
    let shown = if stdout.is_terminal() { visible(table) } else { table.into() };
    stdout.write_all(shown.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::io("standard output"))
}

/// Prints a line of JSON, which programs read back as it is.
fn say_json(line: &serde_json::Value) -> Result<()> {
    writeln!(std::io::stdout(), "{}", visible_json(&line.to_string())).map_err(Error::io("standard output"))
}
