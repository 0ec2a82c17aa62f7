//! # Chapter 1. Image classification with transfer learning
//!
//! A network that has seen a million photos knows edges, textures, eyes and wheels. To teach it two new classes one
//! need not start again: **transfer learning** keeps what it knows and replaces what it says. This chapter takes a
//! pretrained network, gives it a new last layer, and trains it in the source's three ways, everything, the last layer
//! alone, and the last stages, and in one of our own.
//!
//! *Data*: the source's cats and dogs, once `cargo xtask fetch-data --only cats_dogs` has fetched them; until then
//! 142 drawings of fruit and vehicles that are part of the program; or your own, `--data FOLDER` with a folder for each
//! class.
//!
//! *Command*: `cargo run -p ch01_transfer_learning`; `-- --quick` for a smaller run.
//!
//! *Expect*: on cats and dogs about 99 % with a frozen body; the source prints 88.89 %.
//!
//! The chapter retells *Image Classification with Transfer Learning and PyTorch* (Dan Nelson, Stack Abuse); the figures
//! that it prints stand beside ours in the report.
//!
//! N = pictures in a batch, C = classes.

mod compare;
mod data;
mod network;
mod outcome;
mod printed;
mod regimes;

use std::path::PathBuf;
use tallow::Result;
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::models::Arch;

/// Who we are.
pub const CHAPTER: Chapter = Chapter {
    name: "ch01_transfer_learning",
    title: "Image classification with transfer learning",
    printed: printed::PRINTED,
    readme: include_str!("../README.md"),
    sources: tallow::sources![
        "lib.rs",
        "compare.rs",
        "data.rs",
        "network.rs",
        "outcome.rs",
        "printed.rs",
        "regimes.rs"
    ],
};

/// Fine-tune a pretrained network on photos, in several ways, and compare them.
#[derive(Debug, clap::Parser)]
#[command(
    name = "ch01_transfer_learning",
    version,
    after_help = "Examples:\n  cargo run -p ch01_transfer_learning                         the whole chapter\n  \
                  cargo run -p ch01_transfer_learning -- --data photos        your photos, a folder for each class\n  \
                  cargo run -p ch01_transfer_learning -- --data photos --only features   the fast way alone\n  \
                  cargo run -p ch01_transfer_learning -- --arch resnet34      the source's network, fetched if need \
                  be\n  \
                  cargo run -p ch01_transfer_learning -- --resume             go on after a Ctrl-C or a crash"
)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// A folder of photos with a folder for each class
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// The network: efficientnet_lite0, resnet34, alexnet, vgg16, inception_v3, ...
    #[arg(long, value_name = "NAME", default_value = "efficientnet_lite0")]
    arch: Arch,

    /// The network's pretrained weights, safetensors or PyTorch's .pth [default: the published ones, fetched if they
    /// are not on this machine; those of efficientnet_lite0 are part of the program]
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,

    /// Epochs that pass through the whole network
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    epochs: u16,

    /// Height and width of the pictures [default: 224; 128 for the embedded drawings, 96 in a quick run]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(32..=1024))]
    size: Option<u16>,

    /// At most so many photos, evenly from all [default: 2000 of the fetched cats and dogs, all of yours]
    #[arg(long, value_name = "N", value_parser = parse_limit)]
    limit: Option<usize>,

    /// Only one of the ways
    #[arg(long, value_name = "WAY")]
    only: Option<regimes::Way>,
}

fn parse_limit(text: &str) -> std::result::Result<usize, String> {
    text.parse().ok().filter(|&n| n >= 10).ok_or_else(|| String::from("expected a whole number, at least 10"))
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// The chapter, from top to bottom.
///
/// # Errors
/// When weights or photos are missing or damaged, a plot cannot be written, or the user presses Ctrl-C.
pub fn run(args: &Args, s: &mut Session) -> Result<()> {
    let weights = network::weights(s, args.arch, args.weights.as_deref())?;
    let task = data::the_data_and_its_split(s, args, &weights)?;
    data::training_images(s, &task)?;
    network::a_new_final_layer(s, &task, &weights)?;

    let mut results = Vec::new();
    for way in [regimes::Way::All, regimes::Way::Features, regimes::Way::Stages, regimes::Way::Kept] {
        if args.only.is_none_or(|only| only == way) {
            results.push(match way {
                regimes::Way::All => regimes::training_everything(s, &task, &weights)?,
                regimes::Way::Features => regimes::the_fixed_feature_extractor(s, &task, &weights)?,
                regimes::Way::Stages => regimes::unfreezing_the_last_stages(s, &task, &weights)?,
                regimes::Way::Kept => regimes::keeping_the_statistics(s, &task, &weights)?,
            });
        }
    }
    compare::the_ways_compared(s, &results)?;
    compare::using_it(s, &results)
}
