//! `tallow predict`: what photos show.

use crate::model;
use crate::say;
use std::path::PathBuf;
use tallow::vision_learner::{Prediction, predictions_csv};
use tallow::{Error, Result, cli};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Photos, or folders of photos
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,

    /// How many classes to show, the likeliest first [default: one; where photos may show several, those they show]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..))]
    top: Option<u16>,

    /// Print one JSON object per photo, a line each
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print a table of comma-separated values: file, class, probability, error
    #[arg(long)]
    csv: bool,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

/// Unreadable files and folders without photos are reported, the others classified; then the end is an error.
pub(crate) fn run(args: &Args) -> Result<()> {
    let predictor = model::open(&args.model, &args.device)?;
    let (mut files, without) = model::photos(&args.photos);
    let mut predictions = predictor.predict(&files)?;
    for (folder, error) in without {
        files.push(folder);
        predictions.push(Err(error));
    }
    if args.csv {
        say(predictions_csv(&files, &predictions).trim_end())?;
    }
    let mut bad = Vec::new();
    for (file, prediction) in files.iter().zip(&predictions) {
        let file = file.display().to_string();
        match prediction {
            Ok(_) if args.csv => {}
            Ok(prediction) => {
                let best = best(prediction, predictor.vocab(), args.top.map_or(prediction.labels.len(), usize::from));
                say(if args.json { as_json(&file, &best) } else { as_text(&file, &best) })?;
            }
            Err(error) => {
                if args.json {
                    say(serde_json::json!({ "file": file, "error": error.to_string() }).to_string())?;
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

/// The `k` likeliest classes.
fn best<'a>(prediction: &Prediction, vocab: &'a [String], k: usize) -> Vec<(&'a str, f64)> {
    let mut all: Vec<(&str, f64)> =
        vocab.iter().map(String::as_str).zip(prediction.probabilities.iter().copied()).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(k);
    all
}

fn as_text(file: &str, best: &[(&str, f64)]) -> String {
    if best.is_empty() {
        return format!("{file}: nothing of what the model knows");
    }
    let classes: Vec<String> = best.iter().map(|(class, p)| format!("{class} {p:.4}")).collect();
    format!("{file}: {}", classes.join(", "))
}

fn as_json(file: &str, best: &[(&str, f64)]) -> String {
    let class = |(class, p): &(&str, f64)| serde_json::json!({ "class": class, "probability": p });
    serde_json::json!({ "file": file, "classes": best.iter().map(class).collect::<Vec<_>>() }).to_string()
}
