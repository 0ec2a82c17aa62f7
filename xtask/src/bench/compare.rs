//! The same work by turns in Tallow and in PyTorch.
//!
//! All processes live through the whole comparison and get each piece of work by turns, so that whatever slows the
//! machine down slows all of them. Only ratios of such neighbours mean anything.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, bail};

use super::{Args, worker::Worker};
use crate::table::table;
use crate::{cargo, root};

const SCRIPT: &str = include_str!("work.py");

/// What is compared. The name says what is done: see `core/benches/compare/work.rs`.
const WORK: [&str; 15] = [
    "train resnet18 64 32",
    "train resnet18 128 32",
    "train resnet18 224 32",
    "train resnet34 64 32",
    "train resnet34 128 32",
    "train resnet34 224 32",
    "infer resnet18 224 1",
    "infer resnet18 224 32",
    "infer vgg16 224 1",
    "infer vgg16 224 32",
    "infer densenet121 224 1",
    "infer densenet121 224 32",
    "infer efficientnet_lite0 224 1",
    "infer efficientnet_lite0 224 32",
    "mlp",
];

/// Work of which the most memory counts, and the time from the start of a process.
const MEMORY: [&str; 2] = ["train resnet18 64 32", "train resnet18 128 32"];
const FIRST: &str = "first efficientnet_lite0";

/// PyTorch's memory formats. The faster one of each piece of work counts.
const FORMATS: [&str; 2] = ["contiguous", "channels_last"];

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    check_python(args)?;
    let program = build()?;
    let wanted = |name: &&str| args.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    let ours = || -> anyhow::Result<Worker> {
        let mut command = Command::new(&program);
        command.env("RAYON_NUM_THREADS", args.threads.to_string());
        Worker::start("tallow", command)
    };
    let theirs = |format: &str| -> anyhow::Result<Worker> {
        let mut command = Command::new(&args.python);
        command.args(["-c", SCRIPT, format, &args.threads.to_string()]);
        Worker::start("PyTorch", command)
    };
    println!("Seconds in the middle of {} runs by turns, on {} threads\n", args.runs, args.threads);
    let mut rows = Vec::new();
    {
        let mut workers = [ours()?, theirs(FORMATS[0])?, theirs(FORMATS[1])?];
        for work in WORK.into_iter().filter(wanted) {
            eprintln!("{work}");
            let mut seconds = vec![Vec::new(); workers.len()];
            for _ in 0..args.runs {
                for (worker, seconds) in workers.iter_mut().zip(&mut seconds) {
                    seconds.push(worker.ask(work)?);
                }
            }
            let medians: Vec<f64> = seconds.into_iter().map(median).collect();
            rows.push(row(work, &medians, 4));
        }
    }
    for work in MEMORY.into_iter().filter(wanted) {
        eprintln!("memory of {work}");
        // A process of its own for each, since the most memory counts.
        let megabytes = |mut worker: Worker| -> anyhow::Result<f64> {
            for _ in 0..3 {
                worker.ask(work)?;
            }
            Ok(worker.ask("memory")? / 1e6)
        };
        let most = [megabytes(ours()?)?, megabytes(theirs(FORMATS[0])?)?, megabytes(theirs(FORMATS[1])?)?];
        rows.push(row(&format!("{work}: megabytes"), &most, 0));
    }
    if wanted(&FIRST) {
        eprintln!("{FIRST}");
        let start = |make: &dyn Fn() -> anyhow::Result<Worker>| -> anyhow::Result<f64> {
            let mut seconds = Vec::new();
            for _ in 0..args.runs {
                let start = Instant::now();
                make()?.ask(FIRST)?;
                seconds.push(start.elapsed().as_secs_f64());
            }
            Ok(median(seconds))
        };
        let seconds = [start(&ours)?, start(&|| theirs(FORMATS[0]))?, start(&|| theirs(FORMATS[1]))?];
        rows.push(row("process start to first prediction", &seconds, 3));
    }
    print!("{}", table(["work", " tallow", " PyTorch", "format", " ratio"], &rows));
    Ok(ExitCode::SUCCESS)
}

fn row(work: &str, values: &[f64], digits: usize) -> [String; 5] {
    let best = if values[1] <= values[2] { 1 } else { 2 };
    [
        work.to_string(),
        format!("{:.digits$}", values[0]),
        format!("{:.digits$}", values[best]),
        FORMATS[best - 1].to_string(),
        format!("{:.2}", values[0] / values[best]),
    ]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A Python that has what the comparison needs.
fn check_python(args: &Args) -> anyhow::Result<()> {
    let found = Command::new(&args.python).args(["-c", "import torch, torchvision; print(torch.__version__)"]).output();
    match found {
        Ok(output) if output.status.success() => {
            println!("PyTorch {}", String::from_utf8_lossy(&output.stdout).trim());
            Ok(())
        }
        Ok(_) => bail!(
            "{} has no torch and torchvision; install them (`pip install torch torchvision`), or name another Python \
             with --python",
            args.python
        ),
        Err(error) => bail!("cannot start {}: {error}; name a Python that has torch with --python", args.python),
    }
}

/// Builds `core/benches/compare/work.rs` and tells where it is.
fn build() -> anyhow::Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "-p", "tallow", "--example", "work", "--message-format", "json"]).current_dir(root());
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cannot start cargo build")?;
    if !output.status.success() {
        bail!("cargo build of core/benches/compare/work.rs failed");
    }
    let program = String::from_utf8_lossy(&output.stdout).lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    program.context("cargo build named no program")
}
