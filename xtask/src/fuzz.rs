//! `cargo xtask fuzz`: hostile inputs for hours, with overflow and other assertions checked.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::{cargo, root};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long, for all targets together
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// A target; all by default
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Other seeds give other inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Give this file, a finding, to the one target once more
    #[arg(long, value_name = "FILE", requires = "targets")]
    again: Option<PathBuf>,
}

/// The packages whose arithmetic is checked. In other builds it is not, for speed.
const CHECKED: [&str; 4] = ["tallow", "tallow-kernels", "tallow-datasets", "tallow-io"];

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut build = cargo();
    for package in CHECKED {
        for check in ["overflow-checks", "debug-assertions"] {
            build.args(["--config", &format!("profile.dev.package.{package}.{check}=true")]);
        }
    }
    build.args(["build", "--workspace", "--bin", "tallow-fuzz"]).current_dir(root());
    if !build.status().context("cannot start cargo")?.success() {
        bail!("the targets cannot be built");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let mut fuzz = Command::new(target.join("debug/tallow-fuzz"));
    fuzz.args(["--hours", &args.hours.to_string(), "--seed", &args.seed.to_string()]).current_dir(root());
    args.targets.iter().for_each(|name| {
        fuzz.args(["--target", name]);
    });
    if let Some(file) = &args.again {
        fuzz.arg("--again").arg(std::path::absolute(file)?);
    }
    let status = fuzz.status().context("cannot start the targets' program")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
