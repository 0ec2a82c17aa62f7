//! Classifies photos with an exported model:
//! `cargo run -p tallow --example predict -- model photo.jpg another.png`.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use std::path::PathBuf;
use tallow::vision_learner::load_learner;

fn main() -> tallow::Result<()> {
    let mut paths = std::env::args().skip(1).map(PathBuf::from);
    let predictor = load_learner(paths.next().unwrap_or_else(|| "model".into()))?;
    let photos: Vec<PathBuf> = paths.collect();

    // Many files at once are decoded in parallel and go through the network in batches. One that cannot be read has its
    // own error, and the others are classified all the same.
    for (photo, prediction) in photos.iter().zip(predictor.predict(&photos)?) {
        match prediction {
            Ok(prediction) => println!("{}: {prediction}", photo.display()),
            Err(error) => println!("{}", tallow::cli::report_error(&error)),
        }
    }
    Ok(())
}
