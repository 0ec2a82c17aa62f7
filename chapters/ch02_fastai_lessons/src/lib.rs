//! # Chapter 2. fast.ai's lessons 1 to 3
//!
//! What does deep learning do, and why does it work? Lesson 1 trains a classifier of images and looks at masks, a
//! table, ratings and texts. Lesson 2 exports a model and uses it in another process, shows what transforms do, cleans
//! data by a model's mistakes and trains again. Lesson 3 tells 37 breeds apart, compares image models by speed and
//! accuracy, fits a quadratic to noisy measurements with sliders and then by gradient descent, builds a network from
//! rectified linear units, and trains a regression and a small network as one would in a spreadsheet.
//!
//! *Data*: drawings, scenes composed of them, penguins, made ratings, an extract of timm's published tables and the
//! source's 20 noisy measurements are part of the program and stand in until `cargo xtask fetch-data` has fetched the
//! lessons' own: `camvid_tiny`, `adult_sample`, `movie_lens_sample`, `pets`, `imdb_sample`, `timm_results`, `titanic`.
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
mod breeds;
mod cats;
mod census;
mod deploy;
mod fetched;
mod films;
mod gradient_descent;
mod measurements;
mod neural_net;
mod passengers;
mod printed;
mod relus;
mod reviews;
mod road_scenes;
mod show;
mod spreadsheet;
mod timm;
mod unsaid;
mod which_models;

use clap::Parser;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tallow::cli::{self, Chapter, CommonArgs, Session};
use tallow::{Error, Result};

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
        "deploy.rs",
        "bears.rs",
        "breeds.rs",
        "fetched.rs",
        "gradient_descent.rs",
        "measurements.rs",
        "neural_net.rs",
        "passengers.rs",
        "printed.rs",
        "relus.rs",
        "show.rs",
        "spreadsheet.rs",
        "timm.rs",
        "unsaid.rs",
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
const SECTIONS: [Section; 14] = [
    Section { key: "alligator", lesson: 1, run: alligator::is_it_an_alligator },
    Section { key: "segmentation", lesson: 1, run: road_scenes::image_segmentation },
    Section { key: "tabular", lesson: 1, run: census::tabular_analysis },
    Section { key: "collab", lesson: 1, run: films::collaborative_filtering },
    Section { key: "cats", lesson: 1, run: cats::is_it_a_cat },
    Section { key: "text", lesson: 1, run: reviews::sentiment },
    Section { key: "export", lesson: 2, run: deploy::a_model_for_another_program },
    Section { key: "loaders", lesson: 2, run: bears::from_data_to_data_loaders },
    Section { key: "cleaning", lesson: 2, run: bears::training_and_cleaning },
    Section { key: "breeds", lesson: 3, run: breeds::thirty_seven_breeds },
    Section { key: "which-models", lesson: 3, run: which_models::which_image_models_are_best },
    Section { key: "neural-net", lesson: 3, run: neural_net::how_a_neural_net_really_works },
    Section { key: "spreadsheet", lesson: 3, run: spreadsheet::gradient_descent_in_a_spreadsheet },
    Section { key: "unsaid", lesson: 3, run: unsaid::what_the_source_does_not_say },
];

/// fast.ai's lessons 1 to 3: images, masks, tables, ratings, texts, and the mathematics underneath.
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

    /// Only load an exported model and say what a photo shows, as another program would
    #[arg(long, num_args = 2, value_names = ["MODEL", "PHOTO"])]
    predict: Vec<PathBuf>,
}

fn keys() -> [&'static str; SECTIONS.len()] {
    SECTIONS.map(|section| section.key)
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// The program: the chapter, or one prediction.
pub fn main() -> ExitCode {
    // `--help` and wrong arguments end the program here.
    let args = Args::parse();
    match args.predict.as_slice() {
        [model, photo] => cli::exit(deploy::predict(model, photo).and_then(|answer| say(&answer))),
        _ => cli::run_program(&CHAPTER, &args, run),
    }
}

/// A result, to stdout.
fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").map_err(Error::io("standard output"))
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
