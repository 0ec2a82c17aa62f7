//! `cargo xtask package`: what would go to the crate registry, looked at before it goes.

mod metadata;
mod outside;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use tallow_io::megabytes;

use crate::{cargo, root};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build a program outside of the workspace against the packages, and let it train and predict
    #[arg(long)]
    outside: bool,

    /// For a release: the address of the sources has to be filled in as well
    #[arg(long)]
    release: bool,

    /// Look at the manifests alone, and make no packages
    #[arg(long, conflicts_with = "outside")]
    metadata: bool,
}

/// In the order in which they are published: each after those that it needs.
pub(crate) const PACKAGES: [&str; 5] =
    ["tallow-io", "tallow-efficientnet-lite0", "tallow-datasets", "tallow-kernels", "tallow"];

/// What the registry takes, compressed.
const MAX_BYTES: u64 = 10_000_000;

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let problems = metadata::problems(&metadata::read()?, args.release)?;
    if !problems.is_empty() {
        bail!("{} things are missing:\n  {}", problems.len(), problems.join("\n  "));
    }
    println!("{} packages have what the registry and its documentation site want", PACKAGES.len());
    if args.metadata {
        return Ok(ExitCode::SUCCESS);
    }
    if cargo_minor()? < 90 {
        println!("skipped: the packages themselves, which cargo makes together from 1.90 on");
        return Ok(ExitCode::SUCCESS);
    }
    let version = metadata::version()?;
    let folder = target().join("package");
    make(&folder)?;
    for name in PACKAGES {
        let file = folder.join(format!("{name}-{version}.crate"));
        let bytes = fs::metadata(&file).with_context(|| format!("cargo left no {}", file.display()))?.len();
        println!("{:>8}  {}", megabytes(bytes), file.display());
        if bytes > MAX_BYTES {
            bail!(
                "{name} has {bytes} bytes, and the registry takes {MAX_BYTES}: embed less, or in a package of its own"
            );
        }
    }
    if args.outside {
        outside::run(&folder, &version)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Has cargo make the packages. That they build is seen by `--outside`, which compiles what the workspace has compiled
/// already with the same settings; cargo's own verification would compile everything a second time.
fn make(folder: &Path) -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["package", "--no-verify", "--allow-dirty", "--offline"]).current_dir(root());
    command.args(PACKAGES.iter().flat_map(|name| ["-p", name]));
    let output = command.output().context("cannot start cargo package")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("cargo package failed:\n{stderr}");
    }
    // Tests need data and servers that are not packaged; that they are left out is meant.
    let warnings = stderr.lines().filter(|line| line.starts_with("warning:") && !line.contains("ignoring test `"));
    let warnings: Vec<&str> = warnings.collect();
    if !warnings.is_empty() {
        bail!("cargo package, into {}, warns:\n{}", folder.display(), warnings.join("\n"));
    }
    Ok(())
}

/// The number in the middle of cargo's version.
fn cargo_minor() -> anyhow::Result<u32> {
    let output = cargo().arg("--version").output().context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let minor = text.split('.').nth(1).and_then(|minor| minor.parse().ok());
    minor.with_context(|| format!("cargo says that its version is `{text}`"))
}

/// Cargo's folder for what it makes.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
