//! `cargo xtask bench`: how fast the kernels and the networks are, alone or beside PyTorch.

mod compare;
mod worker;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::{cargo, root};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Do the same work in another framework too, by turns, and show the ratios
    #[arg(long, value_name = "FRAMEWORK")]
    compare: Option<Framework>,
    /// Only work (or criterion benchmarks) whose name contains this
    #[arg(value_name = "NAME")]
    filter: Option<String>,
    /// How often to do each piece of work
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The Python to compare with
    #[arg(long, default_value = "python3", env = "TALLOW_PYTHON")]
    python: String,
    /// How many threads both may use
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, Into::into))]
    threads: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Framework {
    /// PyTorch with torchvision, in the faster of its two memory formats
    Pytorch,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match args.compare {
        Some(Framework::Pytorch) => compare::run(args),
        None => criterion(args),
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
