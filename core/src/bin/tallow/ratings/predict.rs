//! `tallow ratings predict`: what a user will like, how much, and what an item is like.

use super::say;
use crate::{model, say_csv, say_json};
use std::path::PathBuf;
use tallow::collab_learner::{RatingPrediction, RatingPredictor, Recommended, load_collab_on};
use tallow::data::{IdVocab, Table};
use tallow::{Error, Result, device};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "A user or an item that no training row has is reported: the rating is then one of which nothing was \
                        learnt. Items may be named by their ids or titles, or by a part of a title that no other has."
)]
pub(crate) struct PredictArgs {
    /// The folder of a run of `tallow ratings`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A table of pairs, CSV, with the columns of users and items of the training: their ratings, as a table
    #[arg(value_name = "PAIRS", conflicts_with_all = ["user", "item", "similar"])]
    pairs: Option<PathBuf>,

    /// The user
    #[arg(long, value_name = "ID")]
    user: Option<String>,

    /// The item whose rating by the user is wanted
    #[arg(long, value_name = "ID|TITLE", requires = "user", conflicts_with = "top")]
    item: Option<String>,

    /// How many items to recommend to the user, or to name beside a similar one
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,

    /// The item of which others are wanted that are like it
    #[arg(long, value_name = "ID|TITLE", conflicts_with_all = ["user", "item"])]
    similar: Option<String>,

    /// Write the table of ratings to a file instead of printing it
    #[arg(long, value_name = "FILE", requires = "pairs")]
    out: Option<PathBuf>,

    /// Print one JSON object for each item, a line each
    #[arg(long, conflicts_with = "pairs")]
    json: bool,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let folder = model::folder_for(model::RATINGS, &args.model)?;
    let predictor = load_collab_on(folder, &device::parse(&args.device)?)?;
    if let Some(pairs) = &args.pairs {
        let csv = predictor.predict_table(&Table::read(pairs)?)?;
        return match &args.out {
            Some(file) => Ok(tallow_io::atomic::write(file, csv)?),
            None => say_csv(&csv),
        };
    }
    if let Some(item) = &args.similar {
        let code = the_item(predictor.items(), item)?;
        let id = predictor.items().id(code).to_string();
        return list(args, &predictor.nearest_items(&id, args.top.into())?, "similarity");
    }
    let Some(user) = &args.user else {
        let what = "name a user (`--user`) or an item (`--similar`), or a table of pairs whose ratings are wanted";
        return Err(Error::Usage(what.into()));
    };
    match &args.item {
        Some(item) => {
            // An unknown id is predicted and told; a title must be one.
            let id = match predictor.items().find(item).as_slice() {
                [] => item.clone(),
                _ => predictor.items().id(the_item(predictor.items(), item)?).to_string(),
            };
            rating(args, &predictor, &predictor.predict(user, &id)?)
        }
        None => list(args, &predictor.top_n(user, args.top.into())?, "rating"),
    }
}

/// The one item that a text names.
pub(crate) fn the_item(items: &IdVocab, text: &str) -> Result<u32> {
    match items.find(text).as_slice() {
        [code] => Ok(*code),
        [] => Err(Error::Value(format!("no item has the id or the title `{text}`"))),
        several => {
            let names: Vec<String> =
                several.iter().take(5).map(|&code| format!("{} ({})", items.name(code), items.id(code))).collect();
            let more = if several.len() > names.len() { ", ..." } else { "" };
            let what =
                format!("`{text}` is in {} titles: {}{more}; name one by its id", several.len(), names.join(", "));
            Err(Error::Value(what))
        }
    }
}

fn list(args: &PredictArgs, items: &[Recommended], what: &str) -> Result<()> {
    for item in items {
        match args.json {
            true => {
                let Recommended { item, name, score, .. } = item;
                say_json(&serde_json::json!({ "item": item, "name": name, (what): score }))?;
            }
            false => say(format!("{:.2}  {}", item.score, named(&item.name, &item.item)))?,
        }
    }
    Ok(())
}

fn rating(args: &PredictArgs, predictor: &RatingPredictor, rating: &RatingPrediction) -> Result<()> {
    if args.json {
        let RatingPrediction { user, item, name, rating, unknown_user, unknown_item } = rating;
        let json = serde_json::json!({
            "user": user, "item": item, "name": name, "rating": rating,
            "unknown_user": unknown_user, "unknown_item": unknown_item,
        });
        return say_json(&json);
    }
    let mut text = format!("{:.2}  {}", rating.rating, named(&rating.name, &rating.item));
    for (unknown, id, vocab) in
        [(rating.unknown_user, &rating.user, predictor.users()), (rating.unknown_item, &rating.item, predictor.items())]
    {
        if unknown {
            text += &format!(" [{} {id} is unknown: nothing was learnt of it]", vocab.column());
        }
    }
    say(text)
}

/// A title with its id, or the id alone where there is no title.
fn named(name: &str, id: &str) -> String {
    if name == id { name.to_string() } else { format!("{name} ({id})") }
}
