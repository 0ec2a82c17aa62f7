//! `tallow ratings train`: a model of ratings, beside the one of biases alone.

use crate::overwrite::{MODEL, OverwriteArgs};
use crate::{settings, values};
use std::path::{Path, PathBuf};
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::collab_learner::{CollabConfig, CollabLearner, Ranking, RatingPredictor, Recommended, collab_learner};
use tallow::data::{CollabDataLoaders, RatingsBlock, Table};
use tallow::interpret::{plot_biased_items, plot_items, plot_losses, show_batch};
use tallow::text::shell_quoted;
use tallow::train::{Monitor, SaveBest};
use tallow::{Error, Result};

pub(crate) const PROGRAM: Chapter = Chapter::new("tallow_ratings", "A model of ratings");

const OUT: &str = "The folder for the model, the report, its figures and its numbers [default: out/tallow_ratings]";

/// The length of lists of recommendations.
const LIST: usize = 10;

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    next_help_heading = "Training",
    mut_arg("require_target", |arg| arg.hide(true)), // a chapter's: no ratings of one's own have a target
    mut_arg("out", |arg| arg.help(OUT)),
    after_help = "A rating is predicted by the product of the user's and the item's factors, which are learnt, and a \
                  bias of each. Beside it stands what biases alone reach: where the network is no better, taste has \
                  taught it nothing.\n\n\
                  The results are in the folder of `--out`: `model/` for `tallow ratings predict`, `report.html`, \
                  `predictions.csv` with every rating of validation, `metrics.json`, `history.csv` and plots. A \
                  finished run there is not replaced without `--overwrite`; `--resume` goes on with one that was \
                  stopped, if its ratings and settings are the same."
)]
pub(crate) struct TrainArgs {
    /// The table of ratings, CSV: a line for each, with a user, an item and a number
    #[arg(value_name = "FILE")]
    #[serde(serialize_with = "settings::path")]
    file: PathBuf,

    /// The column of the users [default: `user`, `userId` or the like, or the first]
    #[arg(long, value_name = "COLUMN")]
    user: Option<String>,

    /// The column of the items [default: `item`, `movie`, `movieId` or the like, or the second]
    #[arg(long, value_name = "COLUMN")]
    item: Option<String>,

    /// The column of the ratings [default: `rating`, `score` or `stars`, or the third]
    #[arg(long, value_name = "COLUMN")]
    rating: Option<String>,

    /// A table of the items' titles, CSV: their ids under the items' column or else in the first one, and the titles
    #[arg(long, value_name = "FILE")]
    #[serde(serialize_with = "settings::some_path")]
    titles: Option<PathBuf>,

    /// The column of the titles [default: `title`, or `name`, or the second]
    #[arg(long, value_name = "COLUMN", requires = "titles")]
    title_column: Option<String>,

    /// The range of predictions; a rating outside is an error [default: from the smallest rating to a tenth of the
    /// range above the largest]
    #[arg(long, value_name = "LOW,HIGH", value_parser = values::range, allow_hyphen_values = true)]
    y_range: Option<(f64, f64)>,

    /// How many factors each user and item has
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    factors: u16,

    /// Predict by layers of these widths on top of the users' and items' vectors, instead of by the product of factors
    #[arg(long, value_name = "WIDTH,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    layers: Option<Vec<u16>>,

    /// Begin with the biases of the model of biases alone, instead of with random ones
    #[arg(long, conflicts_with = "layers")]
    begin_with_biases: bool,

    /// Epochs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    epochs: u16,

    /// The highest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 1e-2, value_parser = values::positive)]
    lr: f64,

    /// Weight decay: the more, the less is learnt of what few have rated
    #[arg(long, value_name = "RATE", default_value_t = 0.15, value_parser = values::not_negative)]
    wd: f64,

    /// Ratings in a batch
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..))]
    batch_size: u32,

    /// Keep the weights of the epoch with the smallest validation loss, instead of the last one's
    #[arg(long)]
    best: bool,

    /// The part of the ratings that is for validation
    #[arg(long, value_name = "PART", default_value_t = 0.2, value_parser = values::part, help_heading = "Validation")]
    valid: f64,

    /// Hold every N-th rating back for validation, from the first on, instead of a random part
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..), conflicts_with = "valid_column",
          help_heading = "Validation")]
    valid_every: Option<u16>,

    /// The column that says which ratings are for validation: train or valid, or true or false
    #[arg(long, value_name = "COLUMN", help_heading = "Validation")]
    valid_column: Option<String>,

    /// From which rating on an item is one to recommend [default: four fifths of the largest rating]
    #[arg(long, value_name = "RATING", allow_hyphen_values = true, help_heading = "Validation")]
    relevant_from: Option<f64>,

    #[command(flatten)]
    #[serde(skip)] // the session writes them down, with the seed and the device that were found
    common: CommonArgs,

    #[command(flatten)]
    #[serde(skip)]
    overwrite: OverwriteArgs,
}

impl AsRef<CommonArgs> for TrainArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What is refused before anything is written.
pub(crate) fn check(args: &TrainArgs) -> Result<()> {
    for file in [Some(&args.file), args.titles.as_ref()].into_iter().flatten() {
        if !file.is_file() {
            return Err(Error::file(file, "is not there, or no file; check its name"));
        }
    }
    args.overwrite.before_replacing(&args.common, PROGRAM.name)
}

/// From ratings to an exported model.
pub(crate) fn run(args: &TrainArgs, s: &mut Session) -> Result<()> {
    s.run.section("The ratings");
    s.run.settings(args)?;
    s.run.data(format!("ratings in {}", args.file.display()));
    let dls = loaders(args, s)?;
    let counts = serde_json::json!({
        "train": dls.train.n_items(),
        "valid": dls.valid.n_items(),
        "users": dls.users().len() - 1,
        "items": dls.items().len() - 1,
    });
    s.run.say(format!(
        "{} ratings to train with and {} for validation, by {} users of {} items",
        dls.train.n_items(),
        dls.valid.n_items(),
        dls.users().len() - 1,
        dls.items().len() - 1
    ));
    s.run.detail("ratings", counts)?;
    s.run.figure("batch", "Ratings to train with.", &show_batch(&dls.train, 8)?)?;

    let mut learner = learner(args, s, &dls)?;
    let (constant, biases) = (learner.constant_mse()?, learner.baseline_mse()?);
    s.run.section("Training");
    s.run.say(format!("mean squared error of the mean alone {constant:.4}, of biases alone {biases:.4}"));
    let epochs = if s.quick { 2 } else { args.epochs.into() };
    learner.fit_one_cycle(epochs, args.lr)?;
    s.history("ratings", learner.recorder())?;
    let curve = plot_losses(learner.recorder()).hline(biases, "biases alone");
    s.run.figure("losses", "The losses, beside what biases alone reach.", &curve.into())?;
    let kept = learner.recorder().kept_row().map(|row| (row.epoch, row.valid_loss));
    let (epoch, mse) = kept.ok_or_else(|| Error::Value("no epoch came to its end".into()))?;
    let verdict = if mse < biases { "better than biases alone" } else { "no better than biases alone" };
    let kept = if args.best { format!(" of epoch {epoch}, the best") } else { String::new() };
    s.run.say(format!("mean squared error{kept}: {mse:.4}, {verdict} ({biases:.4})"));
    for (name, value) in [
        ("valid_mse", mse),
        ("valid_rmse", mse.sqrt()),
        ("baseline_mse", biases),
        ("constant_mse", constant),
        ("kept_epoch", epoch as f64),
    ] {
        s.run.metric(name, value);
    }
    rankings(args, s, &learner)?;
    learned(s, &learner)?;
    s.run.file("predictions.csv", learner.predictions_csv()?)?;
    export(s, &learner)
}

fn loaders(args: &TrainArgs, s: &Session) -> Result<CollabDataLoaders> {
    let table = Table::read(&args.file)?;
    let mut block = RatingsBlock::table(table).valid_pct(args.valid).seed(s.seed).listener(s.run.listener());
    for (column, set) in [
        (&args.user, RatingsBlock::user as fn(RatingsBlock, String) -> RatingsBlock),
        (&args.item, RatingsBlock::item),
        (&args.rating, RatingsBlock::rating),
        (&args.valid_column, RatingsBlock::valid_column),
        (&args.title_column, RatingsBlock::title_column),
    ] {
        if let Some(column) = column {
            block = set(block, column.clone());
        }
    }
    if let Some(titles) = &args.titles {
        block = block.titles(titles);
    }
    if let Some(every) = args.valid_every.map(usize::from) {
        block = block.valid_where(move |row| row % every == 0);
    }
    block = match args.y_range {
        Some((low, high)) => block.y_range(low, high),
        None => block.y_range_around(),
    };
    block.dataloaders(args.batch_size as usize)
}

fn learner(args: &TrainArgs, s: &Session, dls: &CollabDataLoaders) -> Result<CollabLearner> {
    let config = CollabConfig::default()
        .n_factors(args.factors.into())
        .wd(args.wd)
        .seed(s.seed)
        .device(&s.device)
        .listener(s.run.listener())
        .checkpoints(s.checkpoints("ratings"));
    let config = match &args.layers {
        Some(layers) => config.layers(layers.iter().map(|&width| usize::from(width))),
        None if args.begin_with_biases => config.begin_with_biases(),
        None => config,
    };
    let config = if args.best { config.callback(SaveBest::new(Monitor::lowest("valid_loss"))) } else { config };
    collab_learner(dls, config)
}

/// How good lists of recommendations are, beside those that are the same for everybody.
fn rankings(args: &TrainArgs, s: &mut Session, learner: &CollabLearner) -> Result<()> {
    s.run.section("Recommendations");
    let from = args.relevant_from.unwrap_or(learner.relevant_from());
    let ours = match learner.ranking(LIST, from) {
        Ok(ours) => ours,
        // No rating is high enough: there is nothing to find.
        Err(Error::Value(why)) => {
            s.run.say(format!("lists of recommendations are not judged: {why}"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let all = [
        ("the network", "", ours),
        ("the best by biases alone", "baseline_", learner.baseline_ranking(LIST, from)?),
        ("what most have rated", "popular_", learner.popularity_ranking(LIST, from)?),
    ];
    let row = |(name, _, Ranking { ndcg, hit_rate, .. }): &(&str, &str, Ranking)| {
        vec![name.to_string(), format!("{ndcg:.4}"), format!("{hit_rate:.4}")]
    };
    s.run.text(format!(
        "Lists of {LIST} for {} users, out of all items that a user has not rated in training. They are compared with \
         the items that the user rates with {from} or more in validation: NDCG is 1 where all of these come first, a \
         hit is a list that has one.",
        ours.n_users
    ));
    s.run.table(&["list", &format!("NDCG@{LIST}"), &format!("hit rate@{LIST}")], &all.each_ref().map(row));
    for (_, prefix, ranking) in all {
        s.run.metric(format!("{prefix}ndcg_at_{LIST}"), ranking.ndcg);
        s.run.metric(format!("{prefix}hit_rate_at_{LIST}"), ranking.hit_rate);
    }
    let predictor = learner.predictor();
    let users = busiest(&predictor, 3);
    let mut rows = Vec::new();
    for &user in &users {
        let id = predictor.users().id(user);
        for (i, item) in predictor.top_n(id, 5)?.into_iter().enumerate() {
            rows.push(vec![id.to_string(), (i + 1).to_string(), item.name, format!("{:.2}", item.score)]);
        }
    }
    s.run.text("What the users who rated most, and have not rated these, are predicted to like best:");
    s.run.table(&["user", "place", "item", "predicted"], &rows);
    Ok(())
}

/// The users who rated most.
fn busiest(predictor: &RatingPredictor, n: usize) -> Vec<u32> {
    let mut users: Vec<u32> = (1..predictor.users().len() as u32).collect();
    users.sort_by_key(|&user| std::cmp::Reverse(predictor.rated_by(user).len()));
    users.truncate(n);
    users
}

/// What the network has learnt of the items.
fn learned(s: &mut Session, learner: &CollabLearner) -> Result<()> {
    s.run.section("What it has learnt of the items");
    let predictor = learner.predictor();
    let caption = "What everybody likes, or nobody, once taste is accounted for.";
    s.run.figure("biases", caption, &plot_biased_items(&predictor, 10)?.into())?;
    const SHOWN: usize = 30;
    let (_, width) = predictor.item_factors()?;
    let known = predictor.items().len() - 1;
    if width >= 2 && known >= 2 {
        let caption = "Items that are near each other are liked by the same users.";
        s.run.figure("items", caption, &plot_items(&predictor, SHOWN.min(known))?)?;
    }
    let mut rows = Vec::new();
    for item in predictor.most_rated(3) {
        let near: Vec<String> = predictor.nearest_items(&item.item, 3)?.iter().map(Recommended::to_string).collect();
        rows.push(vec![item.name, near.join("; ")]);
    }
    s.run.table(&["item", "nearest, with the cosine between factors"], &rows);
    Ok(())
}

fn export(s: &mut Session, learner: &CollabLearner) -> Result<()> {
    // Ours before it is there: what a killed run leaves is not taken for the user's model.
    MODEL.iter().try_for_each(|file| s.run.claim(file).map(drop))?;
    learner.export(s.run.folder().join("model"))?;
    let shown = crate::shown(s.run.folder());
    let typed = shell_quoted(shown);
    let user = learner.collab_dls().users().id(1);
    let user = shell_quoted(Path::new(user));
    s.run.say(format!(
        "the model is in {}: `tallow ratings predict {typed} --user {user} --top 10` uses it",
        shown.join("model").display()
    ));
    Ok(())
}
