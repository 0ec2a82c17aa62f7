//! `tallow predict`: what photos show.

use crate::model;
use crate::predictions::ColumnArgs;
use crate::scoring::Scoring;
use crate::shard::Shard;
use crate::{say_csv, say_json, say_line, table_file};
use std::path::PathBuf;
use tallow::text::visible_line;
use tallow::vision_learner::{Prediction, predictions_csv};
use tallow::{Error, Result, cli};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Strangeness is how far a photo is from those that the model was trained on, as a multiple of what is \
                        usual among them. Above 1 a photo is unlike any of them, and its class means little, however \
                        sure the network is."
)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Photos, or folders of photos
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,

    /// How many classes to show, the likeliest first [default: one; where photos may show several, those they show]
    #[arg(long, value_name = "K", conflicts_with = "csv", value_parser = clap::value_parser!(u16).range(1..))]
    top: Option<u16>,

    /// Say `unknown` where the likeliest class has a probability below P
    #[arg(long, value_name = "P", value_parser = probability)]
    unknown_below: Option<f64>,

    /// Print one JSON object per photo, a line each
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print a table of comma-separated values: file, class, probability, error, strangeness
    #[arg(long)]
    csv: bool,

    /// Write the table of `--csv` into a file, as JSON lines if its name ends in .jsonl, as Parquet if it ends in
    /// .parquet. A killed command goes on where it was when it is given again. A photo that cannot be read is a row
    /// with the reason
    #[arg(long, value_name = "FILE", conflicts_with_all = ["csv", "json", "top"])]
    out: Option<PathBuf>,

    /// Score the I-th of N shares of the photos, for N processes; `tallow merge` makes one table of their files, which
    /// are CSV
    #[arg(long, value_name = "I/N", requires = "out")]
    shard: Option<Shard>,

    #[command(flatten)]
    columns: ColumnArgs,

    /// Replace the file of `--out`
    #[arg(long, requires = "out")]
    overwrite: bool,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

fn probability(text: &str) -> std::result::Result<f64, String> {
    let p = text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
    p.ok_or_else(|| "expected a probability between 0 and 1, such as 0.8".into())
}

/// The class of a photo that is none of the others.
const UNKNOWN: &str = "unknown";

/// Unreadable files and folders without photos are reported, the others classified; then the end is an error.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(out) = &args.out {
        match args.shard {
            Some(_) if !table_file::is_csv(out) => {
                let what = "a share is written as CSV; `tallow merge --out` of all shares writes the other forms";
                return Err(Error::Usage(format!("{}: {what}", out.display())));
            }
            _ => table_file::check(out)?,
        }
    }
    let predictor = args.columns.prepare(model::open(&args.model, &args.device)?);
    let model::Named { mut files, mut without, notes } = model::photos(&args.photos);
    for note in notes {
        eprintln!("note: {}", visible_line(&note));
    }
    let (named, unnamed): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(|file| file.to_str().is_some());
    files = named;
    if args.csv || args.json || args.out.is_some() {
        // No table could tell two of them apart, or name one so that it is found.
        let what = "has a name that is not valid UTF-8, which no table can hold; rename it";
        without.extend(unnamed.into_iter().map(|file| (file.clone(), Error::file(file, what))));
    } else {
        if !unnamed.is_empty() {
            eprintln!("note: names of {} files are not valid UTF-8: what is not stands as \u{fffd}", unnamed.len());
        }
        files.extend(unnamed);
    }
    if args.unknown_below.is_some() && predictor.threshold().is_some() {
        let what =
            "the model says `nothing` where no class is likely enough: `--unknown-below` is for models of one class";
        return Err(Error::Usage(what.into()));
    }
    if predictor.vocab().iter().any(|class| class == UNKNOWN) && args.unknown_below.is_some() {
        let what = format!("the model has a class `{UNKNOWN}`, which `--unknown-below` could not be told from");
        return Err(Error::Usage(what));
    }
    if let Some(out) = &args.out {
        if let Some((_, error)) = without.into_iter().next() {
            return Err(error);
        }
        let learner = model::folder(&args.model).join("learner.json");
        // It holds the hash of the weights.
        let learner = tallow_io::read::text(&learner, tallow_io::read::NOTES).map_err(Error::io(&learner))?;
        let of = format!("{learner} {:?}", args.unknown_below);
        let (shard, columns, overwrite) = (args.shard, args.columns, args.overwrite);
        let scoring = Scoring { predictor: &predictor, files: &files, shard, columns, out, overwrite, of };
        return scoring.run(|prediction| args.call_unknown(prediction));
    }
    let mut predictions = predictor.predict(&files)?;
    predictions.iter_mut().flatten().for_each(|prediction| args.call_unknown(prediction));
    for (folder, error) in without {
        files.push(folder);
        predictions.push(Err(error));
    }
    if args.csv {
        say_csv(&predictions_csv(&files, &predictions))?;
    }
    let mut bad = Vec::new();
    for (file, prediction) in files.iter().zip(&predictions) {
        let file = file.display().to_string();
        match prediction {
            Ok(_) if args.csv => {}
            Ok(prediction) => {
                let best = best(prediction, predictor.vocab(), args.top.map_or(prediction.labels.len(), usize::from));
                match args.json {
                    true => say_json(&as_json(&file, prediction, &best))?,
                    false => say_line(as_text(&file, prediction, &best))?,
                }
            }
            Err(error) => {
                if args.json {
                    say_json(&serde_json::json!({ "file": file, "error": error.to_string() }))?;
                }
                eprintln!("{}", cli::report_error(error));
                bad.push(file);
            }
        }
    }
    match bad.first() {
        None => Ok(()),
        Some(first) => {
            let (bad, n) = (bad.len(), files.len());
            Err(Error::file(first, format!("{bad} of {n} photos or folders could not be read; the reasons are above")))
        }
    }
}

impl Args {
    /// Says `unknown` where that is asked for.
    fn call_unknown(&self, prediction: &mut Prediction) {
        if self.unknown_below.is_some_and(|least| prediction.probability < least) {
            prediction.labels = vec![UNKNOWN.into()];
        }
    }
}

/// The `k` likeliest classes.
fn best<'a>(prediction: &Prediction, vocab: &'a [String], k: usize) -> Vec<(&'a str, f64)> {
    let mut all: Vec<(&str, f64)> =
        vocab.iter().map(String::as_str).zip(prediction.probabilities.iter().copied()).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(k);
    all
}

/// Whether a prediction was called unknown.
fn is_unknown(prediction: &Prediction) -> bool {
    prediction.labels.len() == 1 && prediction.labels[0] != prediction.class
}

fn as_text(file: &str, prediction: &Prediction, best: &[(&str, f64)]) -> String {
    let classes: Vec<String> = best.iter().map(|(class, p)| format!("{class} {p:.4}")).collect();
    let mut text = match (best.is_empty(), is_unknown(prediction)) {
        (true, _) => format!("{file}: nothing of what the model knows"),
        (false, true) => format!("{file}: {UNKNOWN} ({})", classes.join(", ")),
        (false, false) => format!("{file}: {}", classes.join(", ")),
    };
    if let (true, Some(strangeness)) = (prediction.is_stranger(), prediction.strangeness) {
        text += &format!(" [unlike any photo in training: {strangeness:.2} of the usual distance]");
    }
    text
}

fn as_json(file: &str, prediction: &Prediction, best: &[(&str, f64)]) -> serde_json::Value {
    let class = |(class, p): &(&str, f64)| serde_json::json!({ "class": class, "probability": p });
    let mut json = serde_json::json!({ "file": file, "classes": best.iter().map(class).collect::<Vec<_>>() });
    if is_unknown(prediction) {
        json["unknown"] = true.into();
    }
    if let Some(strangeness) = prediction.strangeness {
        json["strangeness"] = strangeness.into();
        json["is_stranger"] = prediction.is_stranger().into();
    }
    json
}
