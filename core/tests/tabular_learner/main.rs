//! Rows of tables in, classes and numbers out.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod boosting;
mod embedded;
mod learner;
mod numbers;
mod odd;
mod reference;
mod resume;

use tallow::data::Table;
use tallow::rng::Rng;

/// Weather and whether one plays: if it is dry, or if it is warm and weekend. Every tenth temperature is blank.
fn weather(n: usize) -> Table {
    let mut rng = Rng::new(3).stream("weather");
    let row = |i: usize| {
        let (sky, day) = (["sun", "cloud", "rain"][rng.below(3)], ["Mon", "Wed", "Sat", "Sun"][rng.below(4)]);
        let warmth = (rng.uniform(0.0, 30.0) * 10.0).round() / 10.0;
        let plays = sky != "rain" || (warmth > 20.0 && day.starts_with('S'));
        let warmth = if i % 10 == 9 { String::new() } else { warmth.to_string() };
        [sky.to_string(), day.to_string(), warmth, i.to_string(), if plays { "yes" } else { "no" }.to_string()]
    };
    Table::from_rows(&["sky", "day", "warmth", "id", "plays"], (0..n).map(row).collect::<Vec<_>>()).unwrap()
}
