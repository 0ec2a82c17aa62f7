//! `cargo xtask download-images`: a folder of photos from a list of addresses.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tallow_datasets::DownloadImages;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A file with an address on each line
    #[arg(value_name = "LIST")]
    list: PathBuf,

    /// Where to put the photos: `photos/cat`, say, for `tallow train photos`
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max: usize,

    /// How many at the same time
    #[arg(long, value_name = "N", default_value_t = 8)]
    workers: usize,

    /// Seconds to wait for a sign of life
    #[arg(long, value_name = "SECONDS", default_value_t = 4)]
    timeout: u64,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let list = std::fs::read_to_string(&args.list).with_context(|| format!("cannot read {}", args.list.display()))?;
    let urls: Vec<&str> = list.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    anyhow::ensure!(!urls.is_empty(), "{} holds no address", args.list.display());
    let settings = DownloadImages {
        max_images: args.max,
        workers: args.workers,
        timeout: Duration::from_secs(args.timeout.max(1)),
        ..DownloadImages::default()
    };
    let downloaded = settings.run(&urls, &args.folder)?;
    for (url, why) in &downloaded.failed {
        // A list may hold anything, control characters too.
        eprintln!("{}: {why}", url.escape_debug());
    }
    let (came, failed) = (downloaded.files.len(), downloaded.failed.len());
    println!("{came} photos in {}, {failed} addresses gave none", args.folder.display());
    Ok(ExitCode::from(if came == 0 { 3 } else { 0 }))
}
