//! A program outside of the workspace that knows the packages alone, as a user's does.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use flate2::read::GzDecoder;

use super::{PACKAGES, target};
use crate::{cargo, root};

const PROGRAM: &str = include_str!("visitor.rs");

/// Unpacks the packages, builds the program against them, and lets it train and predict.
pub(super) fn run(packages: &Path, version: &str) -> anyhow::Result<()> {
    let folder = target().join("outside");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder.join("src")).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut patches = String::new();
    for name in PACKAGES {
        let file = packages.join(format!("{name}-{version}.crate"));
        let file = File::open(&file).with_context(|| format!("cannot open {}", file.display()))?;
        tar::Archive::new(GzDecoder::new(file)).unpack(&folder).with_context(|| format!("cannot unpack {name}"))?;
        patches += &format!("{name} = {{ path = \"{name}-{version}\" }}\n");
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml"))?;
    // With the workspace's profiles its compiled dependencies are used again.
    let profiles = workspace.split_once("[profile.").map(|(_, rest)| format!("[profile.{rest}")).unwrap_or_default();
    let manifest = format!(
        "[package]\nname = \"visitor\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\ntallow = \"{version}\"\n\n[patch.crates-io]\n{patches}\n{profiles}"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), PROGRAM)?;
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let mut command = cargo();
    command.args(["build", "--offline"]).current_dir(&folder).env("CARGO_TARGET_DIR", target());
    // Those that describe this package, or where cargo was started, are not the program's.
    command.env_remove("CARGO_MANIFEST_DIR");
    if !command.status().context("cannot start cargo build")?.success() {
        bail!("a program outside of the workspace does not build against the packages in {}", folder.display());
    }
    let program = target().join("debug").join("visitor").with_extension(std::env::consts::EXE_EXTENSION);
    let output = Command::new(&program).current_dir(&folder).env("HF_HUB_OFFLINE", "1").output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !stdout.contains("told right") {
        bail!("the program outside of the workspace failed:\n{stdout}{}", String::from_utf8_lossy(&output.stderr));
    }
    println!("a program outside of the workspace, built against the packages, says: {}", stdout.trim());
    Ok(())
}
