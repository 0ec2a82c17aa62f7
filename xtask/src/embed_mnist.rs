//! `cargo xtask embed-mnist`: makes the threes and sevens that are part of every program.
//!
//! The files are IDX inside gzip, as MNIST itself is, so that any tool can read them. The same input makes the same
//! bytes: gzip's time stamp is zero, and the compressor is pinned by `Cargo.lock`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use flate2::{Compression, GzBuilder};
use tallow_datasets::idx::{self, Element, Idx};
use tallow_datasets::mnist::SIDE;
use tallow_datasets::{DataFolder, Mnist};
use tallow_io::{atomic, hash, megabytes};

use crate::root;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder with MNIST's four IDX files [default: the data folder's mnist]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,

    /// Write nothing: compare what would be written with what is there, and fail if it differs
    #[arg(long)]
    check: bool,

    /// The folder to write to [default: datasets/embedded/mnist_sample]
    #[arg(long, value_name = "DIR", hide = true)]
    to: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let from = match &args.from {
        Some(folder) => folder.clone(),
        None => DataFolder::resolve(None).find("mnist")?,
    };
    let to = args.to.clone().unwrap_or_else(|| root().join("datasets/embedded/mnist_sample"));
    let sample = Mnist::load(&from)?.only(&[3, 7]);

    let mut differ = 0;
    for (half, digits) in [("train", sample.train), ("t10k", sample.valid)] {
        let n = digits.len();
        let index = digits.index.iter().map(|&i| i as i32).collect();
        let files = [
            ("images-idx3-ubyte", pack(&Idx { shape: vec![n, SIDE, SIDE], data: digits.images })?),
            ("labels-idx1-ubyte", pack(&Idx { shape: vec![n], data: digits.labels })?),
            ("index-idx1-int", pack(&Idx { shape: vec![n], data: index })?),
        ];
        for (what, bytes) in files {
            let path = to.join(format!("{half}-{what}.gz"));
            let state = if !args.check {
                atomic::write(&path, &bytes)?;
                "written"
            } else if std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))? == bytes {
                "same"
            } else {
                differ += 1;
                "DIFFERS"
            };
            let sha256 = hash::bytes(&bytes).sha256;
            println!("{state:<7}  {:>9}  {sha256}  {}", megabytes(bytes.len() as u64), path.display());
        }
    }
    if differ > 0 {
        anyhow::bail!("{differ} embedded files are not what the full MNIST gives: run `cargo xtask embed-mnist`");
    }
    Ok(ExitCode::SUCCESS)
}

fn pack<T: Element>(array: &Idx<T>) -> anyhow::Result<Vec<u8>> {
    let bytes = idx::to_bytes("the embedded sample", array)?;
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    Ok(encoder.finish()?)
}
