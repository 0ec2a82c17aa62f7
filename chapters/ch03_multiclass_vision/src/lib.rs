//! # Chapter 3. Multi-class classification and computer vision
//!
//! Most linear classifiers know two classes: yes or no. The world has more. This chapter first makes three classes out
//! of twos, in two ways, and draws every step. Then it turns to photos, where a linear model on pixels fails, and lets
//! a network that others have trained look at them: as it is, and as a maker of features behind the very same linear
//! model.
//!
//! *Data*: the lecture's own points are part of the program. Its 300 animal faces: `cargo xtask fetch-data --only
//! animal_faces`, or `--data FOLDER` with `train/CLASS` and `valid/CLASS`. Without them: pullovers, dresses and coats
//! that are part of the program.
//!
//! *Command*: `cargo run -p ch03_multiclass_vision`; to ask the network about your own photos,
//! `cargo run -p ch03_multiclass_vision -- classify PHOTO...`.
//!
//! *Expect*: the lecture's coefficients and scores digit for digit; on its animal faces 67 % from pixels, 87 % and more
//! from a network's features.
//!
//! The chapter retells lecture 18 of UBC's CPSC 330, 2023-24 (Varada Kolhatkar and Andrew Roth, CC BY 4.0). Its figures
//! stand beside ours in the report.
//!
//! N = samples, F = features, K = classes.

mod classify;
mod features;
mod flattened;
mod network;
mod neural_networks;
mod one_vs_one;
mod one_vs_rest;
mod out_of_the_box;
mod photos;
mod points;
mod printed;
mod quiz;
mod wrappers;
mod zoo;

use std::path::PathBuf;
use tallow::Result;
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::models::Arch;

pub use classify::classify_command;

/// Who we are.
pub const CHAPTER: Chapter = Chapter {
    name: "ch03_multiclass_vision",
    title: "Multi-class classification and computer vision",
    printed: printed::PRINTED,
    readme: include_str!("../README.md"),
    sources: tallow::sources![
        "lib.rs",
        "classify.rs",
        "features.rs",
        "flattened.rs",
        "network.rs",
        "neural_networks.rs",
        "one_vs_one.rs",
        "one_vs_rest.rs",
        "out_of_the_box.rs",
        "photos.rs",
        "points.rs",
        "printed.rs",
        "quiz.rs",
        "wrappers.rs",
        "zoo.rs"
    ],
};

/// Make many classes out of two, and let a pretrained network see for a linear model.
#[derive(Debug, clap::Parser)]
#[command(
    name = "ch03_multiclass_vision",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  cargo run -p ch03_multiclass_vision                           the whole chapter\n  \
                  cargo run -p ch03_multiclass_vision -- --data faces           photos in faces/train/CLASS and \
                  faces/valid/CLASS\n  \
                  cargo run -p ch03_multiclass_vision -- --arch densenet121     the lecture's network, fetched if need \
                  be\n  \
                  cargo run -p ch03_multiclass_vision -- classify photo.jpg     what a network takes your photo for"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    common: CommonArgs,

    /// A folder with the photos of each class in `train/CLASS` and `valid/CLASS`
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// A folder of photos to show to the network as it is [default: the lecture's, once they are fetched]
    #[arg(long, value_name = "FOLDER")]
    photos: Option<PathBuf>,

    /// The network that makes features; fetched if it is not here [default: densenet121 if it is here, else
    /// efficientnet_lite0]
    #[arg(long, value_name = "NAME")]
    arch: Option<Arch>,

    /// The network that is used as it is [default: vgg16 if it is here, else efficientnet_lite0]
    #[arg(long, value_name = "NAME")]
    judge: Option<Arch>,
}

/// What else the program can do.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say what photos show, in the 1,000 classes of ImageNet
    Classify(classify::Args),
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// The chapter, from top to bottom.
///
/// # Errors
/// When photos or weights are missing or damaged, a plot cannot be written, or the user presses Ctrl-C.
pub fn run(args: &Args, s: &mut Session) -> Result<()> {
    // Found out early: what is missing or damaged.
    let photos = photos::Photos::find(s, args.data.as_deref())?;
    let judge = network::published(s, args.judge, Arch::Vgg16)?;
    let maker = network::published(s, args.arch, Arch::DenseNet121)?;

    // Many classes out of two.
    let points = points::three_blobs()?;
    points::three_classes(s, &points)?;
    let ovr = one_vs_rest::one_vs_rest(s, &points)?;
    one_vs_rest::which_line_wins(s, &points, &ovr)?;
    one_vs_rest::a_point_by_hand(s, &ovr)?;
    one_vs_rest::probabilities(s, &points, &ovr)?;
    one_vs_one::one_vs_one(s, &points)?;
    wrappers::wrappers(s)?;
    one_vs_rest::multinomial(s, &points)?;
    quiz::questions(s)?;
    neural_networks::layers_of_transformations(s)?;

    // Photos.
    photos::the_photos(s, &photos)?;
    flattened::flattened(s, &photos)?;
    out_of_the_box::transfer_learning(s)?;
    out_of_the_box::out_of_the_box(s, &judge, args.photos.as_deref(), &photos)?;
    let features = features::feature_extractor(s, &maker, &photos)?;
    features::doing_it_right(s, &maker, &photos)?;
    features::what_it_gets_wrong(s, &features, &photos)?;
    zoo::the_zoo(s, &photos)?;
    zoo::summary(s)
}
