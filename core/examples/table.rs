//! Trains a network on a table and looks at it: `cargo run -p tallow --example table -- adult.csv salary`.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::data::TableBlock;
use tallow::interpret::{Importance, show_batch, table_baselines};
use tallow::tabular_learner::{PeriodicConfig, TabularConfig, load_tabular, tabular_learner};
use tallow::train::accuracy;

fn main() -> tallow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(target)) = (args.next(), args.next()) else {
        return Err(tallow::Error::Usage("name a CSV file, and the column with the classes to predict".into()));
    };
    let console = tallow::cli::console();
    let dls = TableBlock::csv(&file).target(target).listener(console.clone()).dataloaders(64)?;
    show_batch(&dls.train, 8)?.save("batch.png")?;
    let config = TabularConfig::default().metrics([accuracy()]).listener(console);
    let mut learner = tabular_learner(&dls, config.embedded_numbers(PeriodicConfig::default()))?;
    learner.fit_one_cycle(3, 2e-3)?;
    println!("{}", learner.show_results(5)?);
    for baseline in table_baselines(&dls)? {
        println!("{}: {:.4}", baseline.name, baseline.score);
    }
    Importance::of(&learner, 3, 42)?.plot().save("importance.png")?;
    learner.export("model")?;
    let predictor = load_tabular("model")?;
    println!("{}", predictor.predict_table(&predictor.read(&file)?)?[0]);
    Ok(())
}
