//! What networks reach on the census of 1994, as means of five seeds: `cargo run -p tallow --example adult -- adult.csv`
//! (UCI's file with heads; the target is called `classification`).
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::data::{TableBlock, TabularDataLoaders};
use tallow::interpret::table_baselines;
use tallow::tabular_learner::{PeriodicConfig, TabularConfig, tabular_learner};
use tallow::train::accuracy;

/// The lesson's columns and recipe: a random fifth judges.
fn lesson(file: &str, seed: u64) -> tallow::Result<f64> {
    let block = TableBlock::csv(file).target("classification").only_named().seed(seed);
    let block = block
        .categories(["workclass", "education", "marital-status", "occupation", "relationship", "race"])
        .numbers(["age", "fnlwgt", "education-num"]);
    trained(&block.dataloaders(64)?, TabularConfig::default(), 2, 1e-3)
}

/// All columns, numbers embedded; every fifth row judges. A part of the training rows chose the settings.
fn embedded(file: &str, seed: u64) -> tallow::Result<f64> {
    let config = TabularConfig::default()
        .dropouts([0.3, 0.3])
        .embedding_dropout(0.1)
        .embedded_numbers(PeriodicConfig { frequencies: 48, sigma: 10.0, ..PeriodicConfig::default() });
    trained(&every_fifth(file, seed)?, config, 8, 3e-3)
}

fn every_fifth(file: &str, seed: u64) -> tallow::Result<TabularDataLoaders> {
    TableBlock::csv(file).target("classification").valid_where(|row| row % 5 == 0).seed(seed).dataloaders(256)
}

fn trained(dls: &TabularDataLoaders, config: TabularConfig, epochs: usize, lr: f64) -> tallow::Result<f64> {
    let mut learner = tabular_learner(dls, config.metrics([accuracy()]))?;
    learner.fit_one_cycle(epochs, lr)?;
    Ok(learner.validate()?.1[0])
}

fn main() -> tallow::Result<()> {
    let file = std::env::args().nth(1).ok_or_else(|| tallow::Error::Usage("name the file".into()))?;
    for (name, run) in [("the lesson", lesson as fn(&str, u64) -> _), ("all columns, numbers embedded", embedded)] {
        let accuracies = (1..=5).map(|seed| run(&file, seed)).collect::<tallow::Result<Vec<f64>>>()?;
        println!("{name}: {:.4} {accuracies:.4?}", accuracies.iter().sum::<f64>() / 5.0);
    }
    for baseline in table_baselines(&every_fifth(&file, 1)?)? {
        println!("{}: {:.4}", baseline.name, baseline.score);
    }
    Ok(())
}
