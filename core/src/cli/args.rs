//! The arguments that every chapter takes.

use crate::error::Error;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Where to compute, what to read and write, and how much to say. A chapter flattens these into its own arguments.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArgs {
    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    pub device: String,

    /// Compute on the CPU: short for `--device cpu`
    #[arg(long, conflicts_with = "device")]
    pub cpu: bool,

    /// The seed of all random numbers: the same seed gives the same run; `random` draws one and prints it
    #[arg(long, default_value = "42", value_name = "N|random")]
    pub seed: Seed,

    /// The folder that holds the datasets [default: datasets/downloads]
    #[arg(long, env = "TALLOW_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// The folder for the report, its figures and its numbers [default: out/CHAPTER]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Threads that load data [default: one for each core]
    #[arg(long, value_name = "N", value_parser = workers)]
    pub workers: Option<usize>,

    /// A short run on little data, to see that everything works
    #[arg(long)]
    pub quick: bool,

    /// Never open a network connection
    #[arg(long)]
    pub offline: bool,

    /// Print one JSON object, the contents of metrics.json, instead of the results
    #[arg(long)]
    pub json: bool,

    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,

    /// Continue from the checkpoints of a run that was stopped
    #[arg(long)]
    pub resume: bool,

    /// Seconds between two checkpoints
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub checkpoint_every: Duration,

    /// Fail, with exit code 4, where the run misses its target
    #[arg(long)]
    pub require_target: bool,
}

impl CommonArgs {
    /// The name of the device that is asked for.
    pub fn device_name(&self) -> &str {
        if self.cpu { "cpu" } else { &self.device }
    }

    /// The number of threads that load data: what was asked for, or one for each core.
    pub fn worker_count(&self) -> usize {
        self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The folder to write to: what was asked for, or `out/<chapter>`, below the workspace when cargo runs the program
    /// from within one.
    pub fn out_folder(&self, chapter: &str) -> PathBuf {
        self.out.clone().unwrap_or_else(|| workspace().unwrap_or_default().join("out").join(chapter))
    }
}

impl Default for CommonArgs {
    /// What an empty command line means, whatever the environment says.
    fn default() -> CommonArgs {
        CommonArgs {
            device: String::from("auto"),
            cpu: false,
            seed: Seed::Fixed(42),
            data_dir: None,
            out: None,
            workers: None,
            quick: false,
            offline: false,
            json: false,
            quiet: false,
            resume: false,
            checkpoint_every: Duration::from_secs(30),
            require_target: false,
        }
    }
}

/// A seed, or the wish for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// This one.
    Fixed(u64),
    /// Any.
    Random,
}

impl Seed {
    /// The seed; a random one is short enough to be typed again.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub fn draw(self) -> Result<u64, Error> {
        let random = || getrandom::u64().map_err(|e| Error::Value(format!("cannot draw a random seed: {e}")));
        match self {
            Seed::Fixed(seed) => Ok(seed),
            Seed::Random => Ok(random()? % 1_000_000_000),
        }
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Seed, String> {
        match text {
            "random" => Ok(Seed::Random),
            _ => text.parse().map(Seed::Fixed).map_err(|_| String::from("expected a whole number, or `random`")),
        }
    }
}

fn workers(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or_else(|| String::from("expected a whole number, at least 1"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| String::from("expected a number of seconds, such as 30 or 0.5"))
}

/// The workspace that cargo runs this program from: the nearest folder upwards whose `Cargo.toml` declares one. A
/// program that is started by hand writes below the current folder, as programs do.
fn workspace() -> Option<PathBuf> {
    std::env::var_os("CARGO_MANIFEST_DIR")?;
    let here = std::env::current_dir().ok()?;
    let declares = |manifest: String| manifest.lines().any(|line| line.trim() == "[workspace]");
    let mut folders = here.ancestors();
    folders.find(|dir| std::fs::read_to_string(dir.join("Cargo.toml")).is_ok_and(declares)).map(PathBuf::from)
}
