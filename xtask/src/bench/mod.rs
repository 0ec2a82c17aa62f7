//! `cargo xtask bench`: how fast the kernels and the networks are, alone or beside others.

mod compare;
mod growth;
mod peer;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use self::peer::Peer;
use crate::{cargo, root};

/// What does the work in Python.
const SCRIPT: &str = include_str!("work.py");

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Do the same work in others too, by turns, and show the ratios; those that are not installed are skipped
    #[arg(long, value_name = "PEER", value_delimiter = ',')]
    compare: Vec<Peer>,
    /// Where to write the comparison, a Markdown table
    #[arg(long, value_name = "FILE", requires = "compare")]
    table: Option<PathBuf>,
    /// Train on and judge so many photos one after the other with the program, and show how time and memory grow
    #[arg(long, value_name = "PHOTOS", value_delimiter = ',', num_args = 0.., default_missing_value = "1000,10000",
          conflicts_with_all = ["compare", "filter"])]
    growth: Option<Vec<usize>>,
    /// The program that grows [default: `tallow`, built with --release]
    #[arg(long, value_name = "FILE", requires = "growth")]
    tallow: Option<PathBuf>,
    /// Only work (or criterion benchmarks) whose name contains this
    #[arg(value_name = "NAME")]
    filter: Option<String>,
    /// How often to do each piece of work
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The Python to compare with
    #[arg(long, default_value = "python3", env = "TALLOW_PYTHON")]
    python: String,
    /// How many threads each may use
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, Into::into))]
    threads: usize,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.growth {
        Some(photos) => growth::run(photos, args.tallow.as_deref()),
        None if args.compare.is_empty() => criterion(args),
        None => compare::run(args),
    }
}

/// The benchmarks under `core/benches` and `core/kernels/benches`.
fn criterion(args: &Args) -> anyhow::Result<ExitCode> {
    let mut command = cargo();
    command
        .args(["bench", "-p", "tallow", "-p", "tallow-kernels", "--bench", "kernels", "--bench", "steps", "--"])
        .args(&args.filter);
    let status = command.current_dir(root()).env("RAYON_NUM_THREADS", args.threads.to_string()).status();
    if !status.context("cannot start cargo bench")?.success() {
        bail!("cargo bench failed");
    }
    Ok(ExitCode::SUCCESS)
}
