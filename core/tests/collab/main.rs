//! Ratings: loaders, networks, the learner, and what it exports.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod csv;
mod learner;
mod reference;

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// MovieLens, if it is here.
pub(crate) fn movielens() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/movielens");
    if !folder.is_dir() {
        eprintln!("skipped: ../shared/data/movielens is not here");
        return None;
    }
    Some(folder)
}

/// Ratings from 1 to 5 of known factors: 60 users and 40 films, two factors each and biases, of which most pairs are
/// rated. Users like the films of their number's parity.
pub(crate) fn known_ratings() -> String {
    let mut text = String::from("user,film,stars\n");
    for user in 0..60 {
        for film in 0..40 {
            if common::hash("pair", user * 40 + film) % 10 < 6 {
                let taste = if (user + film) % 2 == 0 { 1.0 } else { -1.0 };
                let bias = 0.9 * ((film * 7 % 11) as f64 / 5.0 - 1.0);
                let stars = (3.0 + taste + bias).clamp(1.0, 5.0);
                writeln!(text, "u{user},{},{stars:.2}", 100 + film).unwrap();
            }
        }
    }
    text
}

/// Titles of these films.
pub(crate) fn titles() -> String {
    (0..39).fold(String::from("film,title\n"), |text, film| format!("{text}{},\"Film, the {film}th\"\n", 100 + film))
}
