//! `cargo xtask ci`: what the continuous integration runs, on this machine.

mod mpi;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, bail};

use crate::{cargo, root};

/// What cargo does, cheap failures first. The tests select the whole workspace, and so does whatever they build:
/// packages that are built by themselves have fewer features, for which candle would be compiled again.
const STEPS: [&[&str]; 12] = [
    &["fmt", "--all", "--check"],
    &["test", "--quiet", "-p", "xtask", "--test", "tidy", "--test", "dependencies", "--test", "limits"],
    &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    // Each feature of the library by itself. `cuda` and `metal` need machines that have them.
    &["clippy", "-p", "tallow", "--no-default-features", "--", "-D", "warnings"],
    &["clippy", "-p", "tallow", "--no-default-features", "-F", "hub", "--", "-D", "warnings"],
    &["clippy", "-p", "tallow", "--no-default-features", "-F", "efficientnet-lite0", "--", "-D", "warnings"],
    &["clippy", "-p", "tallow", "--no-default-features", "-F", "serve", "--", "-D", "warnings"],
    &["doc", "--workspace", "--no-deps"],
    &["xtask", "api"],
    &["xtask", "package"],
    &["xtask", "book"],
    &["test", "--workspace"],
];

/// The commands that take the features of the whole workspace's build.
const FOR_ALL: [&str; 3] = ["clippy", "doc", "test"];

/// Examples that `cargo test` builds and does not run. Those of the library have a test of their own.
const EXAMPLES: [&str; 1] = ["core/kernels/examples"];

/// What cargo-deny sees without a network; advisories need one, and have a job of their own.
const DENY: [&str; 6] = ["deny", "--offline", "check", "licenses", "bans", "sources"];

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    if !deny()? {
        return Ok(ExitCode::FAILURE);
    }
    let with_mpi = mpi::is_there();
    for step in STEPS {
        let mut command = cargo();
        // What is built for the whole workspace is built once, with MPI where there is one, whose tests run with all.
        let features: &[&str] = if with_mpi && FOR_ALL.contains(&step[0]) && step.contains(&"--workspace") {
            &["--features", "tallow/mpi"]
        } else {
            &[]
        };
        let step = [&step[..1], features, &step[1..]].concat();
        command.args(&step).env("RUSTDOCFLAGS", "-D warnings").current_dir(root());
        if with_mpi {
            // The chapters' tests build their programs themselves.
            command.env("TALLOW_TEST_FEATURES", "tallow/mpi");
        }
        if !succeeds(&format!("cargo {}", step.join(" ")), &mut command)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    for example in examples()? {
        if !runs(&example)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    if !with_mpi {
        println!("SKIPPED  training by several processes: {}", mpi::WITHOUT);
    }
    Ok(ExitCode::SUCCESS)
}

/// Holds the dependencies against `deny.toml`, where the tool for it is there.
fn deny() -> anyhow::Result<bool> {
    let there = cargo().args(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped           cargo {}: `cargo install cargo-deny --locked` brings it", DENY.join(" "));
        return Ok(true);
    }
    // It looks at the crates of all platforms, of which a build has only brought its own.
    let brought = cargo().args(["fetch", "--quiet"]).current_dir(root()).status().is_ok_and(|status| status.success());
    if !brought {
        println!("skipped           cargo {}: the crates of other platforms cannot be fetched", DENY.join(" "));
        return Ok(true);
    }
    succeeds(&format!("cargo {}", DENY.join(" ")), cargo().args(DENY).current_dir(root()))
}

/// Runs a command, and says how long it took and how it ended.
fn succeeds(name: &str, command: &mut Command) -> anyhow::Result<bool> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    let verdict = if status.success() { "ok" } else { "FAILED" };
    println!("{verdict:<6} {:>6.1} s  {name}", start.elapsed().as_secs_f64());
    Ok(status.success())
}

/// The names of the examples.
fn examples() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in EXAMPLES.map(|folder| root().join(folder)).iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let file = entry?.path();
            let stem = file.file_stem().filter(|_| file.extension().is_some_and(|extension| extension == "rs"));
            names.extend(stem.map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Runs an example as the tests have built it, in an empty folder, without arguments and without a network.
fn runs(name: &str) -> anyhow::Result<bool> {
    let program = program(name)?;
    let folder = env::temp_dir().join(format!("tallow-example-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut command = Command::new(program);
    let outcome = succeeds(&format!("example {name}"), command.env("HF_HUB_OFFLINE", "1").current_dir(&folder));
    // What is left behind is in the system's temporary folder, and does no harm.
    let _ = fs::remove_dir_all(&folder);
    outcome
}

/// Cargo puts examples beside the program that is running.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let xtask = env::current_exe().context("cannot find the program that is running")?;
    let folder = xtask.parent().unwrap_or(Path::new(".")).join("examples");
    let program = folder.join(name).with_extension(env::consts::EXE_EXTENSION);
    if !program.is_file() {
        bail!("example {name}: `cargo test` has not built {}", program.display());
    }
    Ok(program)
}
