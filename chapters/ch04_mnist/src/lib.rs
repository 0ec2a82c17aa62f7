//! # Chapter 4. Under the hood: training a digit classifier
//!
//! How does a computer learn to see? This chapter opens the machine. It begins with a picture as a table of numbers,
//! and with a classifier that a child could think of; it goes on to gradients, which it computes by hand; it fits a
//! curve to a roller coaster; and with the same seven steps it trains a linear model, a small neural network and an
//! 18-layer one to tell threes from sevens. Each idea is built by hand the first time, and called from the library
//! after that.
//!
//! *Data*: all threes and sevens of MNIST, 12,396 for training and 2,038 for validation. They are part of the program.
//! The last section wants all ten digits: `cargo xtask fetch-data --only mnist`.
//!
//! *Command*: `cargo run -p ch04_mnist`, about a minute on two CPU cores; `-- --quick` for a few seconds.
//!
//! *Expect*: pixel similarity 95.1 %, a linear model 96 to 98 %, a small network 98 %, ResNet-18 over 99 %.
//!
//! The chapter retells chapter 4 of *Deep Learning for Coders with fastai and PyTorch* (Howard and Gugger, 2020) as
//! worked through in two published sets of notes; every figure that those notes print stands beside ours in the report.
//!
//! N = items in a batch, `xs` = images, `ys` = labels: 1 for a three and 0 for a seven, until section 16 numbers the
//! classes.

mod broadcasting;
mod by_hand;
mod deeper;
mod digits;
mod gradients;
mod learner;
mod loss;
mod mini_batches;
mod optimizer;
mod pixels;
mod printed;
mod roller_coaster;
mod show;
mod similarity;
mod ten_digits;

use digits::Digits;
use tallow::Result;
use tallow::cli::{Chapter, CommonArgs, Session};

/// Who we are.
pub const CHAPTER: Chapter = Chapter {
    name: "ch04_mnist",
    title: "Under the hood: training a digit classifier",
    printed: printed::PRINTED,
    readme: include_str!("../README.md"),
    sources: tallow::sources![
        "lib.rs",
        "broadcasting.rs",
        "by_hand.rs",
        "deeper.rs",
        "digits.rs",
        "gradients.rs",
        "learner.rs",
        "loss.rs",
        "mini_batches.rs",
        "optimizer.rs",
        "pixels.rs",
        "printed.rs",
        "roller_coaster.rs",
        "show.rs",
        "similarity.rs",
        "ten_digits.rs"
    ],
};

/// Train a digit classifier, from pixels to an 18-layer network, on real MNIST threes and sevens.
#[derive(Debug, clap::Parser)]
#[command(
    name = "ch04_mnist",
    version,
    after_help = "Examples:\n  cargo run -p ch04_mnist                      the whole chapter\n  \
                  cargo run -p ch04_mnist -- --quick           a few seconds, less training\n  \
                  cargo run -p ch04_mnist -- --resume          go on after a Ctrl-C or a crash\n  \
                  cargo xtask fetch-data --only mnist          all ten digits for the last section"
)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// Epochs of the 18-layer network
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    resnet_epochs: u16,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// The chapter, from top to bottom.
///
/// # Errors
/// When a plot or a checkpoint cannot be written, data are damaged, or the user presses Ctrl-C.
pub fn run(args: &Args, s: &mut Session) -> Result<()> {
    let digits = Digits::embedded(s)?;
    let all_digits = ten_digits::full_mnist(s)?;

    // A baseline without learning.
    pixels::an_image_is_an_array_of_numbers(s, &digits)?;
    let (mean3, mean7) = similarity::the_ideal_digits(s, &digits)?;
    similarity::distance_to_the_ideal(s, &digits, &mean3, &mean7)?;
    pixels::arrays_and_tensors(s)?;
    broadcasting::metrics_by_broadcasting(s, &digits, &mean3, &mean7)?;

    // Learning, on toys.
    gradients::the_seven_steps(s)?;
    gradients::calculating_gradients(s)?;
    gradients::stepping_with_a_learning_rate(s)?;
    roller_coaster::an_end_to_end_example(s)?;

    // Learning, on digits, by hand.
    let data = loss::the_data_of_the_digits(s, &digits)?;
    loss::why_accuracy_is_no_loss(s, &data)?;
    mini_batches::batches(s)?;
    by_hand::putting_it_all_together(s, &data)?;
    optimizer::creating_an_optimizer(s, &data)?;

    // Learning, with the library.
    learner::the_learner(s, &data)?;
    learner::adding_a_nonlinearity(s, &data)?;
    deeper::going_deeper(s, &digits, args.resnet_epochs.into())?;
    ten_digits::all_ten_digits(s, all_digits)
}
