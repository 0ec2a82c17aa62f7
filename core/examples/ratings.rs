//! Films that people will like: MovieLens's ratings by the product of factors, beside the model of biases alone.
//!
//! `cargo run -p tallow --example ratings -- ratings.csv movies.csv`.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::collab_learner::{CollabConfig, collab_learner};
use tallow::data::RatingsBlock;
use tallow::{Error, Result, cli};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let Some(ratings) = args.next() else {
        return Err(Error::Usage("name the CSV file with ratings, and one with titles if there is one".into()));
    };
    let block = RatingsBlock::csv(ratings).y_range(0.5, 5.5).listener(cli::console());
    let block = match args.next() {
        Some(titles) => block.titles(titles),
        None => block,
    };
    let dls = block.dataloaders(64)?;
    println!("{}", dls.train.decoded(5));
    let mut learner = collab_learner(&dls, CollabConfig::default().listener(cli::console()))?;
    println!("mean alone {:.4}, biases alone {:.4}", learner.constant_mse()?, learner.baseline_mse()?);
    learner.fine_tune(10, 2e-3)?;
    println!("{:?}", learner.ranking(10, learner.relevant_from())?);
    let predictor = learner.predictor();
    for film in predictor.biased_items(5, false)? {
        println!("liked by everybody: {film}");
    }
    for film in predictor.top_n(predictor.users().id(1), 5)? {
        println!("for user {}: {film}", predictor.users().id(1));
    }
    Ok(())
}
