//! # Chapter 2. fast.ai's lessons 1 to 3
//!
//! What does deep learning do, and why does it work? So far this chapter holds the mathematics of lesson 3. It compares
//! image models by speed and accuracy, fits a quadratic to noisy measurements with sliders and then by gradient
//! descent, builds a network from rectified linear units, and trains a regression and a small network as one would in
//! a spreadsheet. Lessons 1 and 2, and the pets of lesson 3, have their places in `SECTIONS`.
//!
//! *Data*: an extract of timm's published tables, the source's 20 noisy measurements, and 333 penguins; all are part of
//! the program. `cargo xtask fetch-data --only timm_results` and `--only titanic` get timm's whole tables and the
//! passengers of the Titanic.
//!
//! *Command*: `cargo run -p ch02_fastai_lessons`; `-- --only spreadsheet` for one section, `-- --lesson 3` for one
//! lesson, `-- --quick` for a few seconds.
//!
//! *Expect*: the quadratic's figures in every printed digit; on the Titanic's 712 passengers a loss of 0.14422715 for
//! the linear model, 0.14385956 for two ReLUs of which one is dead, and about 0.13 for two that are alive.
//!
//! The chapter retells the published notes of a reader of fast.ai's course *Practical Deep Learning for Coders*; every
//! figure that the notes print stands beside ours in the report.

mod alligator;
mod bears;
mod cats;
mod census;
mod fetched;
mod films;
mod gradient_descent;
mod neural_net;
mod passengers;
mod printed;
mod questions;
mod relus;
mod reviews;
mod road_scenes;
mod show;
mod spreadsheet;
mod timm;
mod which_models;

use tallow::Result;
use tallow::cli::{Chapter, CommonArgs, Session};

/// Who we are.
pub const CHAPTER: Chapter = Chapter {
    name: "ch02_fastai_lessons",
    title: "fast.ai's lessons 1 to 3",
    printed: printed::PRINTED,
    readme: include_str!("../README.md"),
    sources: tallow::sources![
        "lib.rs",
        "alligator.rs",
        "road_scenes.rs",
        "census.rs",
        "films.rs",
        "cats.rs",
        "reviews.rs",
        "bears.rs",
        "fetched.rs",
        "gradient_descent.rs",
        "neural_net.rs",
        "passengers.rs",
        "printed.rs",
        "questions.rs",
        "relus.rs",
        "show.rs",
        "spreadsheet.rs",
        "timm.rs",
        "which_models.rs"
    ],
};

/// A part of the chapter that runs by itself.
struct Section {
    /// Its name on the command line.
    key: &'static str,
    lesson: u8,
    run: fn(&mut Session) -> Result<()>,
}

/// The sections, in the order of the source.
const SECTIONS: [Section; 12] = [
    Section { key: "alligator", lesson: 1, run: alligator::is_it_an_alligator },
    Section { key: "segmentation", lesson: 1, run: road_scenes::image_segmentation },
    Section { key: "tabular", lesson: 1, run: census::tabular_analysis },
    Section { key: "collab", lesson: 1, run: films::collaborative_filtering },
    Section { key: "cats", lesson: 1, run: cats::is_it_a_cat },
    Section { key: "text", lesson: 1, run: reviews::sentiment },
    Section { key: "loaders", lesson: 2, run: bears::from_data_to_data_loaders },
    Section { key: "cleaning", lesson: 2, run: bears::training_and_cleaning },
    Section { key: "which-models", lesson: 3, run: which_models::which_image_models_are_best },
    Section { key: "neural-net", lesson: 3, run: neural_net::how_a_neural_net_really_works },
    Section { key: "spreadsheet", lesson: 3, run: spreadsheet::gradient_descent_in_a_spreadsheet },
    Section { key: "questions", lesson: 3, run: questions::questions_and_answers },
];

/// fast.ai's lessons 1 to 3: so far the mathematics of lesson 3, by hand.
#[derive(Debug, clap::Parser)]
#[command(
    name = "ch02_fastai_lessons",
    version,
    after_help = "Examples:\n  cargo run -p ch02_fastai_lessons                        the whole chapter\n  \
                  cargo run -p ch02_fastai_lessons -- --quick             a few seconds, less training\n  \
                  cargo run -p ch02_fastai_lessons -- --only neural-net   one section\n  \
                  cargo run -p ch02_fastai_lessons -- --lesson 3          one lesson\n  \
                  cargo xtask fetch-data --only titanic                   the data of the spreadsheet"
)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// Only this section; may be given more than once
    #[arg(long, value_name = "SECTION", value_parser = clap::builder::PossibleValuesParser::new(keys()))]
    only: Vec<String>,

    /// Only the sections of this lesson
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
    lesson: Option<u8>,
}

fn keys() -> [&'static str; SECTIONS.len()] {
    SECTIONS.map(|section| section.key)
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// The chapter, or the sections of it that `args` ask for.
///
/// # Errors
/// When a plot cannot be written, or fetched data are damaged.
pub fn run(args: &Args, s: &mut Session) -> Result<()> {
    let is_asked = |section: &&Section| {
        args.lesson.is_none_or(|lesson| section.lesson == lesson)
            && (args.only.is_empty() || args.only.iter().any(|key| key == section.key))
    };
    SECTIONS.iter().filter(is_asked).try_for_each(|section| (section.run)(s))
}
