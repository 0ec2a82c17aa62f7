//! `cargo xtask fetch-data`: puts datasets on this machine, lists them, verifies them.

use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use tallow_datasets::{DataFolder, Dataset, Entry, Error, Fetcher, Manifest, Options, Progress, Result, State};
use tallow_io::megabytes;

use crate::exit_code;
use crate::table::table;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this dataset; may be given more than once [default: all but the large ones]
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,

    /// The large datasets too
    #[arg(long, conflicts_with = "only")]
    all: bool,

    /// Download nothing: show each file's size, licence, and whether it is here
    #[arg(long, conflicts_with = "verify")]
    list: bool,

    /// Download nothing: hash what is here, and exit with 3 if something is damaged
    #[arg(long)]
    verify: bool,

    /// The data folder [default: $TALLOW_DATA_DIR, or datasets/downloads]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Open no socket: what is not here is an error
    #[arg(long)]
    offline: bool,

    /// Another list of datasets, in the format of datasets/manifest.toml
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

impl Args {
    /// Whether a dataset that is not named is meant. Looking costs nothing, so all are listed and verified.
    fn wants(&self, dataset: &Dataset) -> bool {
        let wanted = !dataset.large || self.all || self.list || self.verify;
        if !wanted {
            let (name, size) = (&dataset.name, megabytes(dataset.bytes()));
            eprintln!("left out: {name} ({size}); `--only {name}` or `--all` fetches it");
        }
        wanted
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let manifest = match &args.manifest {
        Some(path) => Manifest::read(path)?,
        None => Manifest::builtin()?,
    };
    let datasets: Vec<&Dataset> = match args.only.as_slice() {
        [] => manifest.datasets.iter().filter(|dataset| args.wants(dataset)).collect(),
        names => names.iter().map(|name| manifest.get(name)).collect::<Result<_>>()?,
    };
    let folder = DataFolder::resolve(args.data_dir.as_deref());
    let fetcher = Fetcher::new(Options { offline: args.offline, ..Options::default() });

    let mut rows = Vec::new();
    let mut worst = 0;
    for dataset in &datasets {
        let mut states = Vec::new();
        for entry in &dataset.files {
            let (state, code) = if args.list || args.verify {
                look(&folder, dataset, entry, args.verify)
            } else {
                fetch(&fetcher, &folder, dataset, entry)
            };
            worst = worst.max(code);
            states.push(state);
        }
        rows.extend(table_rows(dataset, states));
    }
    println!("data folder: {}\n", folder.root().display());
    print!("{}", table(["dataset", "file", " size", "state", "licence"], &rows));
    if args.list {
        println!();
        for dataset in datasets {
            let Dataset { name, title, credit, licence, licence_url, layout, .. } = dataset;
            println!("{name}: {title}\n    by {credit}; {licence}, {licence_url}\n    {layout}");
        }
    }
    Ok(ExitCode::from(worst))
}

/// A row for each file, or one row for all where there are many, with how many are in which state.
fn table_rows(dataset: &Dataset, states: Vec<String>) -> Vec<[String; 5]> {
    const MANY: usize = 20;
    let row = |file: String, bytes: u64, state: String| {
        [dataset.name.clone(), file, megabytes(bytes), state, dataset.licence.clone()]
    };
    if dataset.files.len() <= MANY {
        return dataset.files.iter().zip(states).map(|(entry, s)| row(entry.name.clone(), entry.bytes, s)).collect();
    }
    let mut counts = std::collections::BTreeMap::new();
    for state in states {
        *counts.entry(state).or_insert(0) += 1;
    }
    let state = match counts.len() {
        1 => counts.into_keys().collect(),
        _ => counts.iter().map(|(state, n)| format!("{n} {state}")).collect::<Vec<_>>().join(", "),
    };
    vec![row(format!("{} files", dataset.files.len()), dataset.bytes(), state)]
}

/// The state of one file, read but not changed, and the exit code that it deserves.
fn look(folder: &DataFolder, dataset: &Dataset, entry: &Entry, verify: bool) -> (String, u8) {
    let state = if verify { folder.verify_file(dataset, entry) } else { Ok(folder.file_status(dataset, entry)) };
    match state {
        Ok(state @ State::Damaged { .. }) => (state.to_string(), 3),
        Ok(state) => (state.to_string(), 0),
        Err(error) => complain(&error),
    }
}

/// Fetches one file; a failure is reported at once, and the others go on.
fn fetch(fetcher: &Fetcher, folder: &DataFolder, dataset: &Dataset, entry: &Entry) -> (String, u8) {
    let bar = ProgressBar::no_length().with_prefix(format!("{}/{}", dataset.name, entry.name));
    let result = fetcher.fetch_file(&folder.path(dataset), entry, &mut |progress| draw(&bar, &progress));
    bar.finish_and_clear();
    match result {
        Ok(state) => (state.to_string(), 0),
        Err(error) => complain(&error),
    }
}

fn complain(error: &Error) -> (String, u8) {
    eprintln!("error: {error}");
    let code = exit_code(error);
    (if code == 3 { "unavailable" } else { "failed" }.into(), code)
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    match progress {
        Progress::Waiting => say(bar, "another process is fetching this dataset; waiting for it"),
        Progress::Connected { url, done, bytes, .. } => {
            let style =
                "{prefix} [{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
            bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_length(*bytes);
            // The speed counts from here: what an earlier run left took no time now.
            bar.set_position(*done);
            bar.reset_eta();
            if bar.is_hidden() {
                let resumed = if *done > 0 { format!(", resumed at {}", megabytes(*done)) } else { String::new() };
                say(bar, &format!("fetching {} from {url}{resumed}", megabytes(*bytes)));
            }
        }
        Progress::Received { done, .. } => bar.set_position(*done),
        Progress::Retrying { url, what, wait } => {
            say(bar, &format!("{url}: {what}; again in {:.0} s", wait.as_secs_f64()));
        }
        Progress::SourceFailed { url, what } => say(bar, &format!("{url}: {what}; this source is given up")),
        Progress::Unpacking { files, .. } => {
            if *files == 1 {
                let style = "{prefix} unpacking: {pos} files";
                bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            }
            bar.set_position(*files);
        }
        _ => {}
    }
}

/// A line on stderr that the bar does not overwrite.
fn say(bar: &ProgressBar, line: &str) {
    // The bar is locked while it is suspended, so it cannot be asked in there.
    let prefix = bar.prefix();
    bar.suspend(|| eprintln!("{prefix}: {line}"));
}
