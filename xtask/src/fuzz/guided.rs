//! `cargo xtask fuzz --guided`: libFuzzer on the same targets. It counts the edges between blocks of code that an input
//! takes, and goes on from the inputs that took one that none took before.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::{Args, CORPORA, build_with, chosen, target_folder};
use crate::root;

/// Counters for edges, and the numbers that inputs are compared with. The compiler knows them on stable Rust; only
/// sanitizers, which safe code needs less, want a nightly one.
const COUNTERS: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let targets = chosen(&args.targets)?;
    let project = root().join("fuzz/libfuzzer");
    // A workspace of its own, with the versions of this one.
    std::fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    let manifest = project.join("Cargo.toml");
    let manifest = manifest.to_str().context("the repository's path is not UTF-8")?;
    let built = build_with(&COUNTERS, &target_folder().join("guided"), &["--release", "--manifest-path", manifest])?;
    let program = built.join("release/target");
    let share = Duration::from_secs_f64(args.hours * 3600.0 / targets.len() as f64);
    let mut findings = 0;
    println!("{:<12} {:>10} {:>7} {:>7} {:>8} {:>10}", "target", "inputs", "seconds", "edges", "newest", "findings");
    for (target, _) in targets {
        let done = work(&program, target, share, args.seed)?;
        findings += done.findings;
        println!(
            "{target:<12} {:>10} {:>7.0} {:>7} {:>6.0} s {:>10}",
            done.inputs,
            done.took.as_secs_f64(),
            done.edges,
            done.newest.as_secs_f64(),
            done.findings
        );
    }
    println!("newest: how long before the end an edge was taken for the first time");
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a target's time brought.
#[derive(Default)]
struct Done {
    inputs: u64,
    edges: u64,
    took: Duration,
    newest: Duration,
    findings: usize,
}

/// Lets libFuzzer work on a target, and go on where an input ended it, which is then a finding.
fn work(program: &Path, target: &str, share: Duration, seed: u64) -> anyhow::Result<Done> {
    let corpus = root().join(CORPORA).join(target);
    std::fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
    let (begin, mut newest, mut done) = (Instant::now(), Instant::now(), Done::default());
    while begin.elapsed() + Duration::from_secs(1) < share && done.findings < 20 {
        let left = (share - begin.elapsed()).as_secs();
        let mut child = Command::new(program)
            .arg(&corpus)
            .args([format!("-max_total_time={left}"), format!("-seed={}", seed + done.findings as u64)])
            // Memory is limited where it is taken; what libFuzzer keeps for itself comes on top.
            .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1"])
            .arg(format!("-artifact_prefix={}/{target}-guided-", root().join("out/fuzz").display()))
            .env("TALLOW_FUZZ_TARGET", target)
            .env("TALLOW_FUZZ_CORPUS", &corpus)
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the target's program")?;
        let said = child.stderr.take().context("the target's program has no stderr")?;
        let mut last = String::new();
        for line in BufReader::new(said).lines() {
            let Ok(line) = line else { break };
            if let Some(edges) = number(&line, "cov: ")
                && edges > done.edges
            {
                done.edges = edges;
                newest = Instant::now();
            }
            done.inputs += number(&line, "stat::number_of_executed_units:").unwrap_or(0);
            if line.contains("panicked at") || line.contains("ERROR") || line.contains("written to") {
                eprintln!("{target}: {line}");
            }
            last = line;
        }
        if !child.wait()?.success() {
            done.findings += 1;
            if done.edges == 0 {
                bail!("{target} does not start: {last}");
            }
        }
    }
    Ok(Done { took: begin.elapsed(), newest: newest.elapsed(), ..done })
}

/// The number behind these words of a line.
fn number(line: &str, words: &str) -> Option<u64> {
    let (_, rest) = line.split_once(words)?;
    rest.split_whitespace().next()?.parse().ok()
}
