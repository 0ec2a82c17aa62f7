//! `cargo xtask run-all`: runs the chapters one after the other, and puts their results on one page.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use tallow_io::atomic;

use crate::results::Results;
use crate::table::table;
use crate::{cargo, page, root, stamp};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Small embedded data and few epochs: every step of every chapter, in seconds rather than minutes
    #[arg(long)]
    quick: bool,

    /// Only this chapter: its name, or the start of it (ch04); may be given more than once
    #[arg(long, value_name = "CH")]
    only: Vec<String>,

    /// The folder for the results, one folder in it for each chapter [default: out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Build with link-time optimisation; the dev profile is already fast
    #[arg(long)]
    release: bool,

    /// Options for every chapter, after `--`
    #[arg(last = true, value_name = "OPTIONS")]
    extra: Vec<String>,

    /// The workspace, for tests
    #[arg(long, value_name = "DIR", hide = true)]
    root: Option<PathBuf>,
}

/// How a chapter's run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    TargetMissed,
    /// With the reason.
    Failed(String),
}

/// One chapter's run.
pub(crate) struct Run {
    pub(crate) chapter: String,
    pub(crate) status: Status,
    /// Wall-clock seconds, without building.
    pub(crate) seconds: f64,
    pub(crate) results: Option<Results>,
    /// Whether it left a `report.html`.
    pub(crate) report: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = args.root.clone().unwrap_or_else(root);
    let all = chapters(&root)?;
    let chosen: Vec<&String> = all.iter().filter(|name| chosen(name, &args.only)).collect();
    if let Some(unknown) = args.only.iter().find(|only| !all.iter().any(|name| chosen_by(name, only))) {
        eprintln!("error: there is no chapter `{unknown}`; there are {}", all.join(", "));
        return Ok(ExitCode::from(2));
    }
    // Chapters run in the workspace's root, so a relative folder must not change its meaning there.
    let out = std::path::absolute(args.out.clone().unwrap_or_else(|| root.join("out")))?;

    build(&root, &chosen, args.release)?;
    let mut runs = Vec::new();
    for chapter in chosen {
        runs.push(run_chapter(&root, chapter, &out.join(chapter), args)?);
        stamp::note(&root, &out, chapter)?;
    }
    let index = out.join("index.html");
    atomic::write(&index, page::page(&runs))?;

    println!("\n{}", table(["chapter", "status", " time", "printed figures", "report"], &rows(&runs, &out)));
    println!("overview: {}", index.display());
    let failed = runs.iter().any(|run| matches!(run.status, Status::Failed(_)));
    let missed = runs.iter().any(|run| run.status == Status::TargetMissed);
    Ok(ExitCode::from(if failed { 1 } else { 4 * u8::from(missed) }))
}

/// The chapters: the packages `chapters/ch*`, in order.
pub(crate) fn chapters(root: &Path) -> anyhow::Result<Vec<String>> {
    let folder = root.join("chapters");
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("ch") && entry.path().join("Cargo.toml").is_file() {
            names.push(name);
        }
    }
    names.sort();
    anyhow::ensure!(!names.is_empty(), "there are no chapters in {}", folder.display());
    Ok(names)
}

fn chosen(name: &str, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|only| chosen_by(name, only))
}

fn chosen_by(name: &str, only: &str) -> bool {
    name == only || name.split('_').next() == Some(only)
}

/// Builds the chapters, each by itself as `cargo run` does: built together they would share their features, and be
/// built once more when they are run. One that does not build fails again there, and there it is counted.
fn build(root: &Path, chapters: &[&String], release: bool) -> anyhow::Result<()> {
    for chapter in chapters {
        let mut cargo = cargo();
        cargo.args(["build", "--package", chapter]).args(release.then_some("--release")).current_dir(root);
        cargo.status().context("cannot start cargo build")?;
    }
    Ok(())
}

fn run_chapter(root: &Path, chapter: &str, out: &Path, args: &Args) -> anyhow::Result<Run> {
    // What an earlier run left must not pass for this one's.
    for stale in ["metrics.json", "report.html"] {
        let stale = out.join(stale);
        if stale.exists() {
            std::fs::remove_file(&stale).with_context(|| format!("cannot remove {}", stale.display()))?;
        }
    }
    eprintln!("\n==> {chapter}");
    let mut cargo = cargo();
    cargo.args(["run", "--quiet", "--package", chapter]).args(args.release.then_some("--release"));
    cargo.arg("--").arg("--out").arg(out).args(args.quick.then_some("--quick")).args(&args.extra);
    let start = Instant::now();
    let status = cargo.current_dir(root).status().context("cannot start cargo run")?;
    let seconds = start.elapsed().as_secs_f64();

    let mut status = match status.code() {
        Some(0) => Status::Ok,
        Some(4) => Status::TargetMissed,
        Some(code) => Status::Failed(format!("exit code {code}")),
        None => Status::Failed("killed by a signal".into()),
    };
    let results = Results::read(&out.join("metrics.json")).unwrap_or_else(|what| {
        status = Status::Failed(what);
        None
    });
    Ok(Run { chapter: chapter.into(), status, seconds, results, report: out.join("report.html").is_file() })
}

fn rows(runs: &[Run], out: &Path) -> Vec<[String; 5]> {
    let row = |run: &Run| {
        let report =
            if run.report { out.join(&run.chapter).join("report.html").display().to_string() } else { "-".into() };
        let verdicts = run.results.as_ref().map_or("-".into(), |results| results.verdicts().to_string());
        [run.chapter.clone(), run.status.to_string(), page::duration(run.seconds), verdicts, report]
    };
    runs.iter().map(row).collect()
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Status::Ok => f.write_str("ok"),
            Status::TargetMissed => f.write_str("target missed"),
            Status::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}
