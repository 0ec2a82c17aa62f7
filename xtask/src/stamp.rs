//! When, where and from which sources the chapters' results came: `results.json`, beside their folders.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tallow_io::{atomic, date, hash};

/// The file in the folder of all results.
const FILE: &str = "results.json";

/// The origin of a chapter's results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// The day of the run, UTC, in words.
    pub(crate) date: String,
    pub(crate) machine: String,
    /// The commit, with a remark if files differed from it. None outside of a git repository.
    pub(crate) commit: Option<String>,
    /// The sha256 of the `metrics.json` that the run left: another one has another origin.
    metrics: String,
}

impl Stamp {
    /// The origin of results that were just written.
    fn now(root: &Path, metrics: &Path) -> anyhow::Result<Stamp> {
        let metrics = hash::file(metrics)?.sha256;
        Ok(Stamp { date: date::today(), machine: machine(), commit: commit(root), metrics })
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}; {}", self.date, self.machine)?;
        self.commit.as_ref().map_or(Ok(()), |commit| write!(f, "; commit {commit}"))
    }
}

/// Notes the origin of a chapter's results, which are in `out`/`chapter`. Those of other chapters stay.
pub(crate) fn note(root: &Path, out: &Path, chapter: &str) -> anyhow::Result<()> {
    let metrics = out.join(chapter).join("metrics.json");
    if !metrics.is_file() {
        return Ok(());
    }
    let mut all = read(out)?;
    all.insert(chapter.into(), Stamp::now(root, &metrics)?);
    atomic::write(out.join(FILE), serde_json::to_string_pretty(&all)?)?;
    Ok(())
}

/// The origin of the results that are in `out`/`chapter` now, if `run-all` made them.
pub(crate) fn of(out: &Path, chapter: &str) -> anyhow::Result<Option<Stamp>> {
    let metrics = out.join(chapter).join("metrics.json");
    let Some(stamp) = read(out)?.remove(chapter).filter(|_| metrics.is_file()) else { return Ok(None) };
    Ok((hash::file(&metrics)?.sha256 == stamp.metrics).then_some(stamp))
}

fn read(out: &Path) -> anyhow::Result<BTreeMap<String, Stamp>> {
    let file = out.join(FILE);
    match std::fs::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged; remove it and run the chapters again", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// The processor, where the system tells its name (Linux), its threads and the platform.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let platform = format!("{threads} threads, {} {}", std::env::consts::OS, std::env::consts::ARCH);
    name.map_or(platform.clone(), |(_, name)| format!("{}, {platform}", name.trim()))
}

pub(crate) fn commit(root: &Path) -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(root).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|files| !files.is_empty());
    Some(if changed { format!("{commit}, with changes") } else { commit })
}
