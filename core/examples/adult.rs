//! What networks reach on the census of 1994, as means of five seeds: `cargo run -p tallow --example adult --
//! adult.csv` (UCI's file with heads; the target is called `classification`). A part of the training rows chose the
//! settings.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::data::TableBlock;
use tallow::interpret::table_baselines;
use tallow::tabular_learner::{PeriodicConfig, TabularConfig, tabular_learner};
use tallow::train::accuracy;

fn table(file: &str, seed: u64) -> TableBlock {
    TableBlock::csv(file).target("classification").seed(seed)
}

/// The lesson's columns and recipe: a random fifth judges.
fn lesson(file: &str, seed: u64) -> tallow::Result<f64> {
    let block = table(file, seed)
        .categories(["workclass", "education", "marital-status", "occupation", "relationship", "race"])
        .numbers(["age", "fnlwgt", "education-num"]);
    trained(block.only_named(), 64, TabularConfig::default(), 2, 1e-3)
}

/// All columns, numbers embedded; every fifth row judges.
fn embedded(file: &str, seed: u64) -> tallow::Result<f64> {
    of_all(table(file, seed), PeriodicConfig { frequencies: 48, sigma: 10.0, ..PeriodicConfig::default() })
}

/// Gains and losses as categories: each of these sums means something of its own.
fn sums_as_categories(file: &str, seed: u64) -> tallow::Result<f64> {
    let periodic = PeriodicConfig { frequencies: 16, sigma: 0.3, ..PeriodicConfig::default() };
    of_all(table(file, seed).categories(["capital-gain", "capital-loss"]), periodic)
}

fn of_all(block: TableBlock, numbers: PeriodicConfig) -> tallow::Result<f64> {
    let config = TabularConfig::default().dropouts([0.3, 0.3]).embedding_dropout(0.1).embedded_numbers(numbers);
    trained(block.valid_where(|row| row % 5 == 0), 256, config, 8, 3e-3)
}

fn trained(block: TableBlock, size: usize, config: TabularConfig, epochs: usize, lr: f64) -> tallow::Result<f64> {
    let mut learner = tabular_learner(&block.dataloaders(size)?, config.metrics([accuracy()]))?;
    learner.fit_one_cycle(epochs, lr)?;
    Ok(learner.validate()?.1[0])
}

fn main() -> tallow::Result<()> {
    let file = std::env::args().nth(1).ok_or_else(|| tallow::Error::Usage("name the file".into()))?;
    type Recipe = fn(&str, u64) -> tallow::Result<f64>;
    let recipes: [(&str, Recipe); 3] =
        [("the lesson", lesson), ("numbers embedded", embedded), ("sums as categories", sums_as_categories)];
    for (name, recipe) in recipes {
        let accuracies = (1..=5).map(|seed| recipe(&file, seed)).collect::<tallow::Result<Vec<f64>>>()?;
        println!("{name}: {:.4} {accuracies:.4?}", accuracies.iter().sum::<f64>() / 5.0);
    }
    for baseline in table_baselines(&table(&file, 1).valid_where(|row| row % 5 == 0).dataloaders(256)?)? {
        println!("{}: {:.4}", baseline.name, baseline.score);
    }
    Ok(())
}
