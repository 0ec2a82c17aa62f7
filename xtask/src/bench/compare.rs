//! The same work by turns in Tallow and in what else a user could pick.
//!
//! All processes live through the whole comparison and get each piece of work by turns, so that whatever slows the
//! machine down slows all of them. Only ratios of such neighbours mean anything. Between two turns nobody works for a
//! moment, and short work is done once without being counted: threads of some runtimes go on looking for work after
//! they have none, which would slow down the one that comes next.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};

use super::peer::Peer;
use super::{Args, worker::Worker};
use crate::{cargo, root};

/// What is compared. The name says what is done: see `core/benches/compare/work.rs`.
const WORK: [&str; 33] = [
    "train resnet18 64 32",
    "train resnet18 128 32",
    "train resnet18 224 32",
    "train resnet34 64 32",
    "train resnet34 128 32",
    "train resnet34 224 32",
    "train efficientnet_lite0 224 32",
    "train mobilenet_v3_large 224 32",
    "train convnext_tiny 128 32",
    "train-bf16 resnet18 64 32",
    "train-bf16 resnet18 128 32",
    "train-bf16 resnet18 224 32",
    "train-bf16 efficientnet_lite0 224 32",
    "train-bf16 mobilenet_v3_large 224 32",
    "train-bf16 convnext_tiny 128 32",
    "infer resnet18 224 1",
    "infer resnet18 224 32",
    "infer vgg16 224 1",
    "infer vgg16 224 32",
    "infer densenet121 224 1",
    "infer densenet121 224 32",
    "infer efficientnet_lite0 224 1",
    "infer efficientnet_lite0 224 32",
    "infer mobilenet_v3_large 224 1",
    "infer mobilenet_v3_large 224 32",
    "infer convnext_tiny 224 1",
    "infer convnext_tiny 224 32",
    "infer squeezenet1_1 224 1",
    "infer squeezenet1_1 224 32",
    "infer alexnet 224 1",
    "infer alexnet 224 32",
    "mlp",
    "head",
];

/// Work of which the most memory counts, and the time from the start of a process.
const MEMORY: [&str; 2] = ["train resnet18 64 32", "train resnet18 128 32"];
const FIRST: &str = "first efficientnet_lite0";

/// How long nobody works between two turns.
const PAUSE: Duration = Duration::from_millis(300);

/// Work that takes less is done once more before it is counted, to find caches as it leaves them.
const SHORT: f64 = 0.5;

/// One of those that do the work: Tallow, or a peer in one of its modes.
struct Contender {
    peer: Option<Peer>,
    worker: Worker,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let program = build()?;
    let ours = || -> anyhow::Result<Worker> {
        let mut command = Command::new(&program);
        command.env("RAYON_NUM_THREADS", args.threads.to_string());
        Worker::start("tallow", command)
    };
    let mut contenders = vec![Contender { peer: None, worker: ours()? }];
    let mut versions = vec![format!("Tallow {} ({})", env!("CARGO_PKG_VERSION"), contenders[0].worker.tell("about")?)];
    for &peer in &args.compare {
        match about(args, peer) {
            Ok(version) => {
                versions.push(version);
                for &mode in peer.modes() {
                    contenders.push(Contender { peer: Some(peer), worker: theirs(args, mode)? });
                }
            }
            Err(why) => eprintln!("skipped: {why:#}"),
        }
    }
    if contenders.len() == 1 {
        bail!("there is nobody to compare with; install one of them, or name another Python with --python");
    }
    let mut peers: Vec<Peer> = contenders.iter().filter_map(|contender| contender.peer).collect();
    peers.dedup();
    let mut table = Table::new(&peers);
    // Row by row, so that a comparison which is stopped has not measured for nothing.
    let head = head(args, &versions);
    print!("{head}\n{}", table.text);
    for work in WORK.into_iter().filter(|work| wanted(args, work)) {
        eprintln!("{work}");
        let seconds = by_turns(args, &mut contenders, work)?;
        table.row(work, 4, &peers, &seconds);
    }
    drop(contenders);
    let once = |mode: &str| if mode.is_empty() { ours() } else { theirs(args, mode) };
    let frameworks: Vec<(Option<Peer>, &str)> = [(None, "")]
        .into_iter()
        .chain(peers.iter().flat_map(|&peer| peer.modes().iter().map(move |&mode| (Some(peer), mode))))
        .collect();
    for work in MEMORY.into_iter().filter(|work| wanted(args, work)) {
        eprintln!("memory of {work}");
        let mut most = Vec::new();
        for &(peer, mode) in frameworks.iter().filter(|(peer, _)| peer.is_none_or(|peer| peer.can(work))) {
            // A process of its own for each, since the most memory counts.
            let mut worker = once(mode)?;
            for _ in 0..3 {
                worker.ask(work)?;
            }
            most.push((peer, worker.ask("memory")? / 1e6));
        }
        table.row(&format!("{work}: megabytes"), 0, &peers, &most);
    }
    if wanted(args, FIRST) {
        eprintln!("{FIRST}");
        let mut starts = Vec::new();
        for &(peer, mode) in frameworks.iter().filter(|(peer, _)| peer.is_none_or(|peer| peer.can(FIRST))) {
            let mut seconds = Vec::new();
            for _ in 0..args.runs {
                let start = Instant::now();
                once(mode)?.ask(FIRST)?;
                seconds.push(start.elapsed().as_secs_f64());
            }
            starts.push((peer, median(seconds)));
        }
        table.row("process start to first prediction", 3, &peers, &starts);
    }
    if let Some(path) = &args.table {
        let page = format!("{head}\n{}", table.text);
        tallow_io::atomic::write(path, page.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn wanted(args: &Args, name: &str) -> bool {
    args.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
}

/// The middle of some runs of each that can do this work.
fn by_turns(args: &Args, contenders: &mut [Contender], work: &str) -> anyhow::Result<Vec<(Option<Peer>, f64)>> {
    let mut able: Vec<&mut Contender> =
        contenders.iter_mut().filter(|one| one.peer.is_none_or(|peer| peer.can(work))).collect();
    let mut seconds = vec![Vec::new(); able.len()];
    for _ in 0..args.runs {
        for (one, seconds) in able.iter_mut().zip(&mut seconds) {
            std::thread::sleep(PAUSE);
            let mut took = one.worker.ask(work)?;
            if took < SHORT {
                took = one.worker.ask(work)?;
            }
            seconds.push(took);
        }
    }
    Ok(able.iter().zip(seconds).map(|(one, seconds)| (one.peer, median(seconds))).collect())
}

/// A Markdown table: seconds, and behind each peer's how many times as long Tallow takes.
struct Table {
    text: String,
}

impl Table {
    fn new(peers: &[Peer]) -> Table {
        let mut text = "| work | Tallow |".to_string();
        peers.iter().for_each(|peer| _ = write!(text, " {} |", peer.name()));
        text += " of the fastest |\n|---|---:|";
        text += &"---:|".repeat(peers.len() + 1);
        text.push('\n');
        Table { text }
    }

    /// A row of what Tallow took, which comes first, and of what the peers took, the better of their modes.
    fn row(&mut self, work: &str, digits: usize, peers: &[Peer], took: &[(Option<Peer>, f64)]) {
        let least = |of: Option<Peer>| {
            let of = took.iter().filter(|(peer, _)| *peer == of).map(|(_, took)| *took);
            of.min_by(f64::total_cmp)
        };
        let Some(ours) = least(None) else { return };
        let mut row = format!("| {work} | {ours:.digits$} |");
        for &peer in peers {
            match least(Some(peer)) {
                Some(took) => _ = write!(row, " {took:.digits$} ({:.2}) |", ours / took),
                None => row += " |",
            }
        }
        let fastest = peers.iter().filter_map(|&peer| least(Some(peer))).min_by(f64::total_cmp);
        let _ = match fastest {
            Some(fastest) => writeln!(row, " {:.2} |", ours / fastest),
            None => writeln!(row, " |"),
        };
        print!("{row}");
        self.text += &row;
    }
}

/// What was measured, where and when.
fn head(args: &Args, versions: &[String]) -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    format!(
        "Seconds in the middle of {} runs by turns on {} threads, in brackets how many times as long Tallow takes.\n\n\
         {}, {}. {}.\n",
        args.runs,
        args.threads,
        processor(),
        date(days),
        versions.join(", ")
    )
}

/// The processor's name, as Linux tells it.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_string(), |(_, name)| name.trim().to_string())
}

/// The date so many days after 1 January 1970 (Hinnant, *chrono-compatible low-level date algorithms*).
fn date(days: u64) -> String {
    let days = days + 719_468; // from 1 March of the year 0
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn theirs(args: &Args, mode: &str) -> anyhow::Result<Worker> {
    let mut command = Command::new(&args.python);
    command.args(["-c", super::SCRIPT, mode, &args.threads.to_string()]);
    Worker::start("Python", command)
}

/// The versions of what a peer needs.
///
/// # Errors
/// When something of it is missing, or this machine is not made for it.
fn about(args: &Args, peer: Peer) -> anyhow::Result<String> {
    let script = peer.check();
    let found = Command::new(&args.python).args(["-c", &script]).output();
    match found {
        Ok(output) if output.status.success() => {
            Ok(format!("{} {}", peer.name(), String::from_utf8_lossy(&output.stdout).trim()))
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{}: {}", peer.name(), said.trim().lines().last().unwrap_or("its check said nothing"))
        }
        Err(error) => bail!("cannot start {}: {error}; name a Python with --python", args.python),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!([0, 59, 11_016, 20_454].map(date), ["1970-01-01", "1970-03-01", "2000-02-29", "2026-01-01"]);
    }

    #[test]
    fn a_row_has_the_better_mode_of_each_peer_and_the_ratio_to_the_fastest() {
        let peers = [Peer::Pytorch, Peer::Onnxruntime];
        let mut table = Table::new(&peers);
        let took = [(None, 1.0), (Some(Peer::Pytorch), 4.0), (Some(Peer::Pytorch), 2.0)];
        table.row("training", 1, &peers, &took);
        assert!(table.text.ends_with("| training | 1.0 | 2.0 (0.50) | | 0.50 |\n"), "{}", table.text);
    }
}
