//! How time and memory grow with the number of photos, in the program that people use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::table::table;
use crate::{cargo, root};

/// The size at which photos are trained on and judged: small, so that a hundred thousand take minutes.
const SIZE: &str = "64";

/// What a process cost.
struct Cost {
    seconds: f64,
    /// Its largest memory, in bytes.
    peak: u64,
    /// How many cores it kept busy.
    cores: f64,
}

/// Trains a head on, and judges, so many photos one after the other: links to the same drawings, class by class.
pub(super) fn run(photos: &[usize], program: Option<&Path>) -> anyhow::Result<ExitCode> {
    ensure!(cfg!(target_os = "linux"), "processes are measured as Linux tells of them: this system does not");
    let program = match program {
        Some(program) => fs::canonicalize(program).with_context(|| program.display().to_string())?,
        None => built()?,
    };
    let here = tempfile::tempdir()?;
    let here = here.path();
    let tallow = |args: &[&str]| measured(Command::new(&program).args(args).current_dir(here));
    tallow(&["sample", "drawings", "--out", "drawings"])?;
    let train = ["--size", SIZE, "--head-epochs", "1", "--quiet", "--overwrite", "--offline", "--out"];
    tallow(&[&["train", "drawings"], &train[..], &["model"]].concat())?;
    let mut rows = Vec::new();
    for &n in photos {
        let folder = format!("photos-{n}");
        link(&here.join("drawings"), &here.join(&folder), n)?;
        for (job, args) in [
            ("predict", vec!["predict", "model", &folder, "--csv"]),
            ("train a head", [&["train", &folder], &train[..], &["run"]].concat()),
        ] {
            eprintln!("{job}: {n} photos");
            rows.push((job, n, tallow(&args)?));
        }
        fs::remove_dir_all(here.join(&folder))?;
    }
    rows.sort_by_key(|(job, n, _)| (*job, *n));
    let cells = |(job, n, cost): &(&str, usize, Cost)| {
        let (rate, peak) = (*n as f64 / cost.seconds, cost.peak as f64 / 1e6);
        let numbers = [format!("{:.1}", cost.seconds), format!("{rate:.0}"), format!("{peak:.0}")];
        let [seconds, rate, peak] = numbers;
        [job.to_string(), n.to_string(), seconds, rate, peak, format!("{:.2}", cost.cores)]
    };
    let head = ["job", " photos", " seconds", " photos a second", " peak MB", " cores busy"];
    println!("{}", table(head, &rows.iter().map(cells).collect::<Vec<_>>()));
    for pair in rows.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let [(job, few, less), (_, many, more)] = pair else { continue };
        let photos = (many - few) as f64;
        let (ms, kb) =
            (1e3 * (more.seconds - less.seconds) / photos, (more.peak as f64 - less.peak as f64) / 1e3 / photos);
        println!("{job}, from {few} to {many} photos: {ms:.2} ms and {kb:.2} kB for each photo more");
    }
    Ok(ExitCode::SUCCESS)
}

fn built() -> anyhow::Result<PathBuf> {
    let build = cargo().args(["build", "--release", "-p", "tallow", "--bin", "tallow"]).current_dir(root()).status()?;
    ensure!(build.success(), "cargo build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release/tallow"))
}

/// A folder of `n` links to the files of another, in the same classes.
fn link(from: &Path, to: &Path, n: usize) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for class in fs::read_dir(from)? {
        let class = class?.path();
        if class.is_dir() {
            fs::create_dir_all(to.join(class.file_name().unwrap_or_default()))?;
            files.extend(fs::read_dir(&class)?.collect::<Result<Vec<_>, _>>()?.into_iter().map(|file| file.path()));
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{} holds no photos", from.display());
    for (i, file) in (0..n).zip(files.iter().cycle()) {
        let class = file.parent().and_then(Path::file_name).unwrap_or_default();
        let ending = file.extension().unwrap_or_default().to_string_lossy();
        fs::hard_link(file, to.join(class).join(format!("{i:07}.{ending}")))?;
    }
    Ok(())
}

/// Runs a command to its end, and looks at its memory and its time meanwhile, as `/proc` tells them.
fn measured(command: &mut Command) -> anyhow::Result<Cost> {
    let start = Instant::now();
    let mut process = command.stdout(Stdio::null()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let place = PathBuf::from(format!("/proc/{}", process.id()));
    let (mut peak, mut ticks) = (0, 0);
    let ended = loop {
        peak = peak.max(largest_memory(&place).unwrap_or(0));
        ticks = ticks.max(ticks_used(&place).unwrap_or(0));
        match process.try_wait()? {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    if !ended.success() {
        bail!("{command:?} ended with {ended}");
    }
    let seconds = start.elapsed().as_secs_f64();
    // Linux counts hundredths of a second on every machine.
    Ok(Cost { seconds, peak, cores: ticks as f64 / 100.0 / seconds })
}

fn largest_memory(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?)
}

fn ticks_used(process: &Path) -> Option<u64> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // The name of the program, in brackets, may hold blanks; the times are 11 and 12 fields behind its state.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}
