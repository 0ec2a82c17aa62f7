//! `tallow table train`: a network on a table, beside simpler methods.

use super::columns::ColumnArgs;
use super::report;
use crate::best::BestArgs;
use crate::overwrite::{MODEL, OverwriteArgs};
use crate::{shown, values};
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::TabularDataLoaders;
use tallow::interpret::{plot_losses, show_batch};
use tallow::optim::Adam;
use tallow::tabular_learner::{PeriodicConfig, TabularConfig, TabularLearner, tabular_learner};
use tallow::text::shell_quoted;
use tallow::train::{Metric, accuracy, balanced_accuracy, f1_score, mae, rmse};
use tallow::{Error, Result};

pub(crate) const PROGRAM: Chapter = Chapter::new("tallow_table", "A network for a table");

const OUT: &str = "The folder for the model, the report, its figures and its numbers [default: out/tallow_table]";

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    mut_arg("require_target", |arg| arg.hide(true)), // a chapter's: no table of one's own has a target to reach
    mut_arg("out", |arg| arg.help(OUT)),
    after_help = "Categories become vectors that are learnt, numbers go in beside them. What stands in a cell that is \
                  missing, which columns are taken for what, and which are left out, is told. Beside the network \
                  stands what simpler methods reach on the same rows: on tables trees often win.\n\n\
                  The results are in the folder of `--out`: `model/` for `tallow table predict`, `report.html`, \
                  `predictions.csv` with every row of validation, `metrics.json`, `history.csv` and plots. A finished \
                  run there is not replaced without `--overwrite`; `--resume` goes on with one that was stopped, if \
                  its table and settings are the same."
)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    #[serde(flatten)]
    columns: ColumnArgs,

    #[command(flatten)]
    #[serde(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    #[serde(flatten)]
    best: BestArgs,

    #[command(flatten)]
    #[serde(skip)] // the session writes them down, with the seed and the device that were found
    common: CommonArgs,

    #[command(flatten)]
    #[serde(skip)]
    overwrite: OverwriteArgs,
}

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(next_help_heading = "Training")]
struct NetworkArgs {
    /// Epochs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    epochs: u16,

    /// The highest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 1e-3, value_parser = values::positive)]
    lr: f64,

    /// Weight decay
    #[arg(long, value_name = "RATE", default_value_t = 0.01, value_parser = values::not_negative)]
    wd: f64,

    /// Rows in a batch
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = values::batch)]
    batch_size: u16,

    /// The widths of the hidden layers
    #[arg(long, value_name = "WIDTH,...", value_delimiter = ',', default_value = "200,100",
          value_parser = clap::value_parser!(u16).range(1..))]
    layers: Vec<u16>,

    /// The dropout after each hidden layer
    #[arg(long, value_name = "PART", default_value_t = 0.0, value_parser = values::dropout)]
    dropout: f64,

    /// The dropout of the vectors that categories become
    #[arg(long, value_name = "PART", default_value_t = 0.0, value_parser = values::dropout)]
    embedding_dropout: f64,

    /// Embed numbers too, by sines and cosines of learned frequencies: it often helps, and trains more slowly
    #[arg(long)]
    embed_numbers: bool,

    /// How many frequencies an embedded number has
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..),
          requires = "embed_numbers")]
    frequencies: u16,

    /// How high these frequencies begin: 0.3 where the target changes smoothly, 10 where single values mean something
    #[arg(long, value_name = "SIGMA", default_value_t = PeriodicConfig::default().sigma, requires = "embed_numbers",
          value_parser = values::positive)]
    sigma: f64,

    /// The range of predicted numbers [default: none]
    #[arg(long, value_name = "LOW,HIGH", value_parser = values::range, allow_hyphen_values = true)]
    y_range: Option<(f64, f64)>,

    /// How often each column is shuffled to see what it is worth; 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = 3)]
    importance: u16,
}

impl AsRef<CommonArgs> for TrainArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What is refused before anything is written.
pub(crate) fn check(args: &TrainArgs) -> Result<()> {
    let file = args.columns.file();
    if !file.is_file() {
        return Err(Error::file(file, "is not there, or no file; expected a table, CSV"));
    }
    args.overwrite.before_replacing(&args.common, PROGRAM.name)
}

/// From a table to an exported model.
pub(crate) fn run(args: &TrainArgs, s: &mut Session) -> Result<()> {
    s.run.section("The table");
    s.run.settings(args)?;
    let file = args.columns.file();
    s.run.data(format!("the table {}", file.display()));
    let dls = args.columns.block(s).dataloaders(args.network.batch_size.into())?;
    let sides = [Some(&dls.train), Some(&dls.valid), dls.test.as_ref()];
    let [train, valid, test] = sides.map(|side| side.map_or(0, |side| side.n_items()));
    s.run.say(format!("{train} rows for training, {valid} for validation, {test} for a test"));
    s.run.detail("rows", serde_json::json!({ "train": train, "valid": valid, "test": test }))?;
    let caption = "Training rows as they were read: categories, numbers with their blanks filled, the target last.";
    s.run.figure("training_rows", caption, &show_batch(&dls.train, 8)?)?;

    let is_class = !dls.target().classes().is_empty();
    if !is_class && args.best.watches_one_class() {
        let what = "where numbers are predicted, `--best` knows `valid_loss` only";
        return Err(Error::Usage(what.into()));
    }
    if is_class && args.network.y_range.is_some() {
        return Err(Error::Usage("`--y-range` is for predicted numbers, and the target is a class".into()));
    }
    s.run.section("Training");
    let mut learner = tabular_learner(&dls, config(args, s, is_class))?;
    let epochs = if s.quick { 1 } else { args.network.epochs.into() };
    learner.fit_one_cycle(epochs, args.network.lr)?;
    s.history("network", learner.recorder())?;
    args.best.say_kept(s, "network", learner.recorder(), epochs);
    s.run.figure("losses", "The losses of the network.", &plot_losses(learner.recorder()).into())?;

    let measure = report::judge(s, &learner, &args.columns)?;
    if args.network.importance > 0 {
        report::explain(s, &learner, args.network.importance.into())?;
    }
    export(s, &learner, &dls, measure)
}

fn config(args: &TrainArgs, s: &Session, is_class: bool) -> TabularConfig {
    let network = &args.network;
    let mut metrics: Vec<Metric> =
        if is_class { vec![accuracy(), balanced_accuracy(), f1_score()] } else { vec![rmse(), mae()] };
    for more in args.best.metrics() {
        if !metrics.iter().any(|metric| metric.name() == more.name()) {
            metrics.push(more);
        }
    }
    let layers: Vec<usize> = network.layers.iter().map(|&width| width.into()).collect();
    let mut adam = Adam::fastai();
    adam.wd = network.wd;
    let config = TabularConfig::default()
        .dropouts(vec![network.dropout; layers.len()])
        .layers(layers)
        .embedding_dropout(network.embedding_dropout)
        .opt(adam)
        .metrics(metrics)
        .device(&s.device)
        .listener(s.run.listener())
        .checkpoints(s.checkpoints("network"));
    let config = match network.embed_numbers {
        false => config,
        true => config.embedded_numbers(PeriodicConfig {
            frequencies: network.frequencies.into(),
            sigma: network.sigma,
            ..PeriodicConfig::default()
        }),
    };
    let config = match network.y_range {
        None => config,
        Some((low, high)) => config.y_range(low, high),
    };
    args.best.callbacks().into_iter().fold(config, TabularConfig::boxed_callback)
}

fn export(s: &mut Session, learner: &TabularLearner, dls: &TabularDataLoaders, measure: (&str, f64)) -> Result<()> {
    // Ours before it is there: what a killed run leaves is not taken for the user's model.
    MODEL.iter().try_for_each(|file| s.run.claim(file).map(drop))?;
    learner.export(s.run.folder().join("model"))?;
    let (name, value) = measure;
    s.run.say(format!("valid {name} of {}: {value:.4}", dls.target().columns().join(", ")));
    let shown = shown(s.run.folder());
    let typed = shell_quoted(shown);
    let model = shown.join("model");
    s.run.say(format!("the model is in {}: `tallow table predict {typed} FILE` uses it", model.display()));
    Ok(())
}
