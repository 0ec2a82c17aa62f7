//! `tallow sample`: small data to try each kind of learner with, on a machine without network.

use crate::say;
use clap::ValueEnum;
use std::path::PathBuf;
use tallow::Result;
use tallow::samples::{self, RatingRule, Sample};
use tallow::text::shell_quoted;

#[derive(Debug, clap::Args)]
#[command(after_help = "Penguins, weather and drawings are real data, scenes and ratings are made by a rule that is \
                        known. `README.txt` in the folder says where they come from and on which terms.")]
pub(crate) struct Args {
    /// Which data
    #[arg(value_name = "DATA")]
    data: Data,

    /// The folder to write, which must not be there yet [default: the data's name]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// The seed of data that are made
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Data {
    /// 335 drawings in six classes, for `tallow train`
    Drawings,
    /// 360 composed pictures with masks of eight classes, for `tallow segment`
    Scenes,
    /// 344 penguins, for `tallow table`
    Penguins,
    /// 1,461 days in Seattle, for `tallow table`
    Weather,
    /// 12,000 made ratings of 120 films, for `tallow ratings`
    Ratings,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let Args { data, out, seed } = args;
    let name = data.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default();
    let folder = out.clone().unwrap_or_else(|| PathBuf::from(name));
    let sample = data.sample(*seed)?;
    sample.write(&folder)?;
    say(&sample.about)?;
    let path = |name: &str| shell_quoted(&folder.join(name));
    say(format!("\nWritten to {}. Try:\n  {}", folder.display(), data.command(path)))
}

impl Data {
    fn sample(self, seed: u64) -> Result<Sample> {
        Ok(match self {
            Data::Drawings => samples::drawings(),
            Data::Scenes => samples::scenes(300, 60, seed)?,
            Data::Penguins => samples::penguins(),
            Data::Weather => samples::weather(),
            Data::Ratings => samples::film_ratings(RatingRule::default(), seed),
        })
    }

    /// What to type next.
    fn command(self, path: impl Fn(&str) -> String) -> String {
        match self {
            Data::Drawings => format!("tallow train {}", path("")),
            Data::Scenes => format!("tallow segment {} --codes {} --void void", path(""), path("codes.txt")),
            Data::Penguins => format!("tallow table {} --target species", path("penguins.csv")),
            Data::Weather => format!("tallow table {} --target weather", path("seattle_weather.csv")),
            Data::Ratings => format!("tallow ratings {} --titles {}", path("ratings.csv"), path("films.csv")),
        }
    }
}
