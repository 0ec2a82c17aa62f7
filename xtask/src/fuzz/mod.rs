//! `cargo xtask fuzz`: hostile inputs for hours, with overflow and other assertions checked.

mod coverage;
mod guided;

use std::path::{Path, PathBuf};
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
    /// Let libFuzzer look for inputs that reach code that none reached before; they stay in out/fuzz/corpus
    #[arg(long, conflicts_with = "again")]
    guided: bool,
    /// Tell how much of each reader's code the inputs in out/fuzz/corpus reach, by LLVM's tools
    #[arg(long, conflicts_with_all = ["again", "guided"])]
    coverage: bool,
}

/// The packages whose arithmetic is checked. In other builds it is not, for speed.
const CHECKED: [&str; 4] = ["tallow", "tallow-kernels", "tallow-datasets", "tallow-io"];

/// Where the inputs of `--guided` are kept, a folder for each target.
const CORPORA: &str = "out/fuzz/corpus";

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match args {
        Args { guided: true, .. } => guided::run(args),
        Args { coverage: true, .. } => coverage::run(&args.targets),
        _ => unguided(args),
    }
}

fn unguided(args: &Args) -> anyhow::Result<ExitCode> {
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
    let mut fuzz = Command::new(target_folder().join("debug/tallow-fuzz"));
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

/// The targets of these names, or all.
fn chosen(names: &[String]) -> anyhow::Result<Vec<(&'static str, &'static [&'static str])>> {
    if let Some(name) = names.iter().find(|name| !coverage::READERS.iter().any(|(known, _)| name == known)) {
        bail!("no target `{name}`; there are {}", coverage::READERS.map(|(known, _)| known).join(", "));
    }
    let is_meant = |known: &str| names.is_empty() || names.iter().any(|name| name == known);
    Ok(coverage::READERS.into_iter().filter(|(known, _)| is_meant(known)).collect())
}

/// Where cargo builds to.
fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Builds with flags for the compiler that stay out of build scripts, into a folder of its own.
fn build_with(flags: &[&str], into: &Path, args: &[&str]) -> anyhow::Result<PathBuf> {
    let host = host()?;
    let mut build = cargo();
    build.arg("build").args(args).args(["--target", &host, "--target-dir"]).arg(into);
    let status = build.env("RUSTFLAGS", flags.join(" ")).current_dir(root()).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the targets cannot be built");
    }
    Ok(into.join(host))
}

/// The machine that the compiler builds for by itself.
fn host() -> anyhow::Result<String> {
    let said = rustc(&["-vV"])?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_string).context("rustc -vV names no host")
}

/// What the compiler answers.
fn rustc(args: &[&str]) -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(args).output().context("cannot start rustc")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
