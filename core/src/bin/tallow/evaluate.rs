//! `tallow evaluate`: how good a classifier is on photos whose classes are known.

use crate::{model, settings, train};
use std::path::PathBuf;
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::{image_files, parent_label};
use tallow::event::Event;
use tallow::interpret::Interpretation;
use tallow::{Error, Result};

pub(crate) const PROGRAM: Chapter = Chapter { name: "tallow_evaluate", title: "A classifier of photos, evaluated" };

#[derive(Debug, clap::Args, serde::Serialize)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, or the model in it
    #[arg(value_name = "MODEL")]
    #[serde(serialize_with = "settings::path")]
    model: PathBuf,

    /// Photos that the model did not train on, a folder for each class
    #[arg(value_name = "PHOTOS")]
    #[serde(serialize_with = "settings::path")]
    photos: PathBuf,

    #[command(flatten)]
    #[serde(skip)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Predicts all photos and compares with the folders that they are in.
pub(crate) fn run(args: &Args, s: &mut Session) -> Result<()> {
    s.run.settings(args)?;
    let predictor = model::open(&args.model, args.common.device_name())?.listener(s.run.listener());
    let vocab = predictor.vocab();
    s.run.section("The photos");
    s.run.data(format!("photos in {}", args.photos.display()));
    let files = image_files(&args.photos)?;
    let mut ys = Vec::new();
    for file in &files {
        let class = parent_label(file)?;
        let known = vocab.iter().position(|name| *name == class).ok_or_else(|| {
            let known = vocab.join(", ");
            Error::file(file, format!("is in the folder `{class}`, which is not a class of the model ({known})"))
        })?;
        ys.push(known as u32);
    }
    let (mut seen, mut labels, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let listener = s.run.listener();
    for ((file, y), prediction) in files.iter().zip(ys).zip(predictor.predict(&files)?) {
        match prediction {
            Ok(prediction) => {
                seen.push(file.clone());
                labels.push(y);
                rows.push(prediction.probabilities);
            }
            Err(error) => listener.tell(Event::Note(&format!("left out: {error}"))),
        }
    }
    if seen.is_empty() {
        return Err(Error::file(&args.photos, "holds no photo that can be read"));
    }
    let (n, n_classes) = (seen.len(), vocab.len());
    let interpretation = Interpretation::from_probabilities(&rows, &labels, vocab)?.with_files(seen)?;
    s.run.say(format!("{n} photos, {n_classes} classes: accuracy {:.4}", interpretation.confusion().accuracy()));
    let metrics: Vec<_> =
        interpretation.metrics()?.iter().map(|(name, v)| vec![name.to_string(), format!("{v:.4}")]).collect();
    s.run.table(&["metric", "value"], &metrics);
    s.run.detail("photos", serde_json::json!({ "evaluated": n, "left_out": files.len() - n }))?;
    train::report(s, &interpretation)
}
