//! Tabular analysis: who earns more than fifty thousand dollars?

use crate::fetched::{fetched, written};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::TableBlock;
use tallow::interpret::show_batch;
use tallow::samples;
use tallow::tabular_learner::{TabularConfig, tabular_learner};
use tallow::train::accuracy;

/// The source's columns of categories and of numbers.
const CATEGORIES: [&str; 6] = ["workclass", "education", "marital-status", "occupation", "relationship", "race"];
const NUMBERS: [&str; 3] = ["age", "fnlwgt", "education-num"];

// --- Tabular analysis ------------------------------------------------------------------------------------------------

pub(crate) fn tabular_analysis(s: &mut Session) -> Result<()> {
    s.section("Tabular analysis");
    s.text(
        "
        A table has columns of two kinds. A **category**, such as an occupation, becomes a vector of numbers that is
        learnt, an *embedding*. A **number** is normalised, and where it is missing the median takes its place and one
        more column says so. There is usually no pretrained model for a table, as every table is about something else:
        so we fit one from scratch.
        ",
    );
    let (block, is_source) = match fetched(s, "adult_sample")? {
        Some(folder) => {
            s.data("Adult: 32,561 people of the US census of 1994, fetched (CC BY 4.0)");
            let block = TableBlock::csv(folder.join("adult.csv")).target("salary");
            (block.categories(CATEGORIES).numbers(NUMBERS).only_named(), true)
        }
        None => {
            s.data("344 penguins of the Palmer Archipelago, embedded (CC0)");
            s.say("The source's table is fetched by `cargo xtask fetch-data --only adult_sample`; here are penguins.");
            let folder = written(s, "penguins", &samples::penguins())?;
            (TableBlock::csv(folder.join("penguins.csv")).target("species"), false)
        }
    };
    let dls = block.seed(s.seed).listener(s.listener()).dataloaders(64)?;
    s.figure("census_batch", "Rows of a training batch, the target last.", show_batch(&dls.train, 8)?)?;

    let config = TabularConfig::default()
        .metrics([accuracy()])
        .device(&s.device)
        .listener(s.listener())
        .checkpoints(s.checkpoints("census"));
    let mut learn = tabular_learner(&dls, config)?;
    let (epochs, lr) = if is_source { (2, 1e-3) } else { (10, 1e-2) };
    learn.fit_one_cycle(epochs, lr)?;
    s.history("census", learn.recorder())?;
    let last = learn.recorder().metric(0).last().copied().unwrap_or_default();
    s.metric("census_accuracy", last);
    if is_source {
        s.check("tabular: valid_loss", &learn.recorder().valid_losses())?;
        s.check("tabular: accuracy", &learn.recorder().metric(0))?;
        s.check("tabular: final accuracy", last)?;
    }
    s.text(
        "
        *What the source does not say*: on tables, boosted trees are hard to beat. `tallow table` sets gradient boosting
        and logistic regression beside the network on the same rows, and says which wins. On the source's census data,
        boosting does.
        ",
    );
    Ok(())
}
