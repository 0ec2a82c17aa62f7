//! What a chapter is given to work with.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use candle_core::Device;
use serde_json::json;
use tallow_datasets::DataFolder;

use super::args::{CommonArgs, Seed};
use super::interrupt::interrupter;
use crate::device;
use crate::error::{Error, Result};
use crate::report::{Printed, Run, RunConfig, Source};

/// The version of candle that this library is built on; a test compares it with the lock file.
pub(crate) const CANDLE: &str = "0.11.1";

/// Who a chapter is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chapter {
    /// Its package, which also names its output folder: `ch04_mnist`.
    pub name: &'static str,
    /// The title of its page.
    pub title: &'static str,
    /// Its source files, for its page: [`sources!`](crate::sources) names them. None, and the page shows no code.
    pub sources: &'static [Source],
    /// Its README, whose parts for readers go on the page ([`Run::readme`]).
    pub readme: &'static str,
    /// The figures that its source prints.
    pub printed: &'static [Printed],
}

impl Chapter {
    /// A program that retells no document: its page shows results and no code.
    pub const fn new(name: &'static str, title: &'static str) -> Chapter {
        Chapter { name, title, sources: &[], readme: "", printed: &[] }
    }
}

/// All that a chapter needs of the outside world.
pub struct Session {
    /// What is said, shown and measured.
    pub run: Run,
    /// Where to compute.
    pub device: Device,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Whether to run on little data for a short time.
    pub quick: bool,
    /// Threads that load data.
    pub workers: usize,
    /// Whether to continue from checkpoints.
    pub resume: bool,
    /// The time between two checkpoints.
    pub checkpoint_every: Duration,
    /// Where the datasets are.
    pub data: DataFolder,
    /// Whether the network is out of bounds.
    pub offline: bool,
    /// The figures that the chapter's source prints.
    pub(super) printed: &'static [Printed],
}

impl Session {
    /// Finds the device, draws the seed and begins the run that `args` ask for.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) for a device that is not there, [`Error::Io`](crate::Error::Io) for a
    /// folder that cannot be written.
    pub fn open(chapter: &Chapter, args: &CommonArgs) -> Result<Session> {
        let device = device::parse(args.device_name())?;
        let name = device::describe(&device);
        if args.device_name() == "auto" && !args.quiet {
            eprintln!("device: {name}, {}", why(&device));
        }
        let seed = args.seed.draw()?;
        if args.seed == Seed::Random && !args.quiet {
            eprintln!("seed: {seed}; `--seed {seed}` repeats this run");
        }
        let data = DataFolder::resolve(args.data_dir.as_deref());
        let workers = args.worker_count();
        let config = json!({
            "seed": seed,
            "device": name,
            "workers": workers,
            "offline": args.offline,
            "resume": args.resume,
            "checkpoint_every": args.checkpoint_every.as_secs_f64(),
            "data_dir": data.root().display().to_string(),
            "platform": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            "versions": { "tallow": env!("CARGO_PKG_VERSION"), "candle": CANDLE },
        });
        let run = Run::create(RunConfig {
            chapter: String::from(chapter.name),
            title: String::from(chapter.title),
            out: args.out_folder(chapter.name),
            quick: args.quick,
            json: args.json,
            quiet: args.quiet,
            config,
        })?;
        let run = run.interrupter(interrupter()).sources(chapter.sources).readme(chapter.readme);
        if !args.resume {
            forget_checkpoints(&run.folder().join(CHECKPOINTS))?;
        }
        Ok(Session {
            run,
            device,
            seed,
            quick: args.quick,
            workers,
            resume: args.resume,
            checkpoint_every: args.checkpoint_every,
            data,
            offline: args.offline,
            printed: chapter.printed,
        })
    }
}

/// The folder of a run's checkpoints, in its own.
pub(super) const CHECKPOINTS: &str = "checkpoints";

/// Removes what an earlier run left: a run that begins anew leaves checkpoints of its own, and a later `--resume` must
/// find no others.
fn forget_checkpoints(folder: &Path) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::io(folder))?,
    };
    for entry in entries {
        let file = entry.map_err(Error::io(folder))?.path();
        if file.extension().is_some_and(|extension| extension == "safetensors") {
            std::fs::remove_file(&file).map_err(Error::io(&file))?;
        }
    }
    Ok(())
}

/// Why `auto` took this device.
fn why(device: &Device) -> &'static str {
    match (device.is_cpu(), cfg!(feature = "cuda"), cfg!(feature = "metal")) {
        (false, ..) => "the fastest that this build and this machine have (`--device` chooses another)",
        (true, false, false) => {
            "because this build has no GPU support (`--features cuda` or `--features metal` adds it)"
        }
        (true, ..) => "because no GPU answered (`--device cuda` or `--device metal` says why)",
    }
}
