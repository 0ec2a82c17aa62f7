//! Hostile inputs for as long as one likes: `cargo xtask fuzz --hours 8`.
//!
//! Each target runs in a process of its own, which may take 512 MB. What makes it panic, take longer than two seconds
//! or more memory, or answer wrongly, is kept in the folder of findings, as small as it can be made.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use anyhow::Context;
use cap::Cap;
use clap::Parser;
use std::alloc::System;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tallow_fuzz::{Answer, MEMORY, Pool, TARGETS, TIME, Target, scratch};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY);

/// Hostile inputs for everything that reads a file.
#[derive(Parser)]
struct Args {
    /// How long, for all targets together
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// The targets; all by default
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Other seeds give other inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where findings are kept
    #[arg(long, default_value = "out/fuzz")]
    findings: PathBuf,
    /// Give this file, or those in this folder, to the one target instead
    #[arg(long, value_name = "PATH", requires = "targets")]
    again: Option<PathBuf>,
    /// Work on the one target for so many seconds in this process
    #[arg(long, hide = true, requires = "targets")]
    seconds: Option<f64>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let targets = chosen(&args.targets)?;
    std::fs::create_dir_all(&args.findings).with_context(|| format!("cannot create {}", args.findings.display()))?;
    match (&args.again, args.seconds) {
        (Some(file), _) => again(targets[0], file),
        (None, Some(seconds)) => work(targets[0], &args, Duration::from_secs_f64(seconds)),
        (None, None) => supervise(&targets, &args),
    }
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| TARGETS.iter().find(|target| target.name == name);
    names.iter().map(|name| find(name).with_context(|| format!("no target `{name}`; there are {}", known()))).collect()
}

/// Lets a process work on each target, and a new one go on with other inputs where one died.
fn supervise(targets: &[&Target], args: &Args) -> anyhow::Result<ExitCode> {
    let share = Duration::from_secs_f64(args.hours * 3600.0 / targets.len() as f64);
    let program = std::env::current_exe()?;
    for target in targets {
        let (begin, mut seed) = (Instant::now(), args.seed);
        while begin.elapsed() + Duration::from_secs(1) < share {
            let left = (share - begin.elapsed()).as_secs_f64().to_string();
            let numbers = [("--seconds", left), ("--seed", seed.to_string())];
            let mut command = Command::new(&program);
            command.args(["--target", target.name]).arg("--findings").arg(&args.findings);
            numbers.iter().for_each(|(name, value)| {
                command.arg(name).arg(value);
            });
            let mut child = command.spawn().context("cannot start a process for a target")?;
            let (id, status) = (child.id(), child.wait()?);
            if !status.success() {
                let (from, to) =
                    (current(args, target, id), args.findings.join(format!("{}-{seed}-died", target.name)));
                std::fs::copy(&from, &to).with_context(|| format!("cannot keep {}", from.display()))?;
                let _ = std::fs::remove_file(&from);
                println!("{}: {status}; kept as {}", target.name, to.display());
            }
            seed += 1;
        }
    }
    let found = std::fs::read_dir(&args.findings)?.count();
    println!("{found} findings in {}", args.findings.display());
    Ok(if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the input stands that is being worked on: in memory where the system has such a place.
fn current(args: &Args, target: &Target, process: u32) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory } else { &args.findings };
    folder.join(format!("tallow-fuzz-{}-{}", target.name, process))
}

fn work(target: &'static Target, args: &Args, time: Duration) -> anyhow::Result<ExitCode> {
    // What never ends is ended from outside; the input is in its file.
    static AT: AtomicU64 = AtomicU64::new(0);
    std::thread::spawn(|| {
        let mut before = u64::MAX;
        while AT.load(Ordering::Relaxed) != before {
            before = AT.load(Ordering::Relaxed);
            std::thread::sleep(5 * TIME);
        }
        std::process::exit(3);
    });
    let folder = scratch()?;
    let file = current(args, target, std::process::id());
    let mut pool = Pool::new(target, folder.path(), args.seed);
    let (begin, mut faults, mut newest) = (Instant::now(), 0, Instant::now());
    while begin.elapsed() < time && faults < 20 {
        let input = pool.next_input();
        std::fs::write(&file, &input)?;
        AT.fetch_add(1, Ordering::Relaxed);
        let before = pool.n_answers();
        if let Some(fault) = pool.give(&input) {
            faults += 1;
            let kept = args.findings.join(format!("{}-{}-{}", target.name, args.seed, pool.n_inputs()));
            std::fs::write(&kept, pool.minimised(&input))?;
            println!("{}: {fault}; kept as {}", target.name, kept.display());
        }
        if pool.n_answers() > before {
            newest = Instant::now();
        }
    }
    let _ = std::fs::remove_file(&file);
    println!(
        "{:<12} {:>9} inputs in {:>6.0} s, {} answers, the newest {:.0} s before the end, {faults} faults",
        target.name,
        pool.n_inputs(),
        begin.elapsed().as_secs_f64(),
        pool.n_answers(),
        newest.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

fn again(target: &Target, path: &Path) -> anyhow::Result<ExitCode> {
    let folder = scratch()?;
    (target.seeds)(folder.path());
    let mut code = ExitCode::SUCCESS;
    for file in files(path)? {
        let input = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        match target.answer(&input, folder.path()) {
            Answer::Fault(words) => {
                println!("{}: fault: {words}", file.display());
                code = ExitCode::FAILURE;
            }
            Answer::Fine(words) if file == path => println!("fine: {words}"),
            Answer::Fine(_) => {}
        }
    }
    Ok(code)
}

/// The file, or the files in the folder.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
