//! What an evaluation needs of a model's predictions: computed, or read from a table of them.

use crate::table_file::{PROBABILITY_OF, is_csv};
use std::path::{Path, PathBuf};
use tallow::vision_learner::{Prediction, Predictor};
use tallow::{Error, Result};

/// What a model says of a photo, as far as an evaluation needs it.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) probabilities: Vec<f64>,
    pub(crate) is_stranger: bool,
}

/// What a model says of the photos, or has said of them in a table of predictions.
///
/// # Errors
/// Those of [`Predictor::predict`]; [`Error::File`] when the table is none of this model's classes, or lacks a photo.
pub(crate) fn judgements(
    predictor: &Predictor,
    files: &[PathBuf],
    table: Option<&Path>,
) -> Result<Vec<Result<Judgement>>> {
    match table {
        Some(table) => read(predictor, files, table),
        None => {
            let judgement = |p: Prediction| Judgement { is_stranger: p.is_stranger(), probabilities: p.probabilities };
            Ok(predictor.predict(files)?.into_iter().map(|p| p.map(judgement)).collect())
        }
    }
}

/// How far the sum of probabilities may be off that were rounded.
const ROUNDING: f64 = 0.01;

fn read(predictor: &Predictor, files: &[PathBuf], table: &Path) -> Result<Vec<Result<Judgement>>> {
    if !is_csv(table) {
        let what = "predictions are read as CSV: write them with `tallow predict --probabilities --out FILE.csv`";
        return Err(Error::Usage(format!("{}: {what}", table.display())));
    }
    let refused = |what: String| Error::file(table, what);
    let file = tallow_io::read::open(table).map_err(Error::io(table))?;
    let mut reader = csv::Reader::from_reader(std::io::BufReader::new(file));
    let head: Vec<String> = reader.headers().map_err(|e| refused(e.to_string()))?.iter().map(String::from).collect();
    let place = |name: &str| {
        let make = "make it by `tallow predict --probabilities --out`, as CSV, with the same model";
        head.iter().position(|column| column == name).ok_or_else(|| refused(format!("has no column `{name}`: {make}")))
    };
    let [file, error, strangeness] = ["file", "error", "strangeness"].map(place);
    let (file, error, strangeness) = (file?, error?, strangeness?);
    let of_classes =
        predictor.vocab().iter().map(|class| place(&format!("{PROBABILITY_OF}{class}"))).collect::<Result<Vec<_>>>()?;
    // Where photos may show several classes, each has a probability of its own.
    let is_one_class = predictor.threshold().is_none();
    let mut found = std::collections::HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|e| refused(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let name = record.get(file).unwrap_or_default().to_string();
        let number = |place: usize| {
            let cell = record.get(place).unwrap_or_default();
            let number = cell.parse::<f64>().ok().filter(|p| p.is_finite());
            number.ok_or_else(|| refused(format!("line {line}: `{cell}` is not a number, in `{}`", head[place])))
        };
        let probability = |&place: &usize| {
            let p = number(place)?;
            let what = || refused(format!("line {line}: {p} is no probability, in `{}`; expected 0 to 1", head[place]));
            if (0.0..=1.0 + 1e-6).contains(&p) { Ok(p) } else { Err(what()) }
        };
        let judged = match record.get(error).unwrap_or_default() {
            "" => {
                let probabilities: Vec<f64> = of_classes.iter().map(probability).collect::<Result<_>>()?;
                let sum: f64 = probabilities.iter().sum();
                if is_one_class && (sum - 1.0).abs() > ROUNDING {
                    let what = "the probabilities of the classes of a photo make 1";
                    return Err(refused(format!("line {line}: {what}, and those of {name} make {sum}")));
                }
                let is_stranger =
                    record.get(strangeness).is_some_and(|cell| !cell.is_empty()) && number(strangeness)? > 1.0;
                Ok(Judgement { probabilities, is_stranger })
            }
            why => Err(tallow_io::csv::unmarked(why).to_string()),
        };
        if found.insert(name.clone(), judged).is_some() {
            return Err(refused(format!("line {line}: {name} has a row before")));
        }
    }
    let judged = |file: &PathBuf| {
        let lacks = || refused(format!("has no row for {}: predict the same photos, named alike", file.display()));
        let judged = found.remove(&tallow_io::csv::path(file)).ok_or_else(lacks)?;
        Ok(judged.map_err(Error::Value))
    };
    files.iter().map(judged).collect()
}
