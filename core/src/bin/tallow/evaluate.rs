//! `tallow evaluate`: how good a classifier is on photos whose classes are known.

use crate::judgements::judgements;
use crate::overwrite::OverwriteArgs;
use crate::photos::{GroupArgs, PhotoArgs};
use crate::{model, multi_label, one_class, settings, trust};
use std::path::PathBuf;
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::{LabelledImage, LabelledImages, Side};
use tallow::event::{Event, Listener};
use tallow::interpret::Interpretation;
use tallow::{Error, Result};

pub(crate) const PROGRAM: Chapter = Chapter::new("tallow_evaluate", "A classifier of photos, evaluated");

const OUT: &str = "The folder for the report, its figures and its numbers [default: out/tallow_evaluate]";

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    mut_arg("out", |arg| arg.help(OUT)),
    // What all programs take, or training, and an evaluation has no use for.
    mut_arg("group", |arg| arg.hide(true)),
    mut_arg("group_column", |arg| arg.hide(true)),
    mut_arg("seed", |arg| arg.hide(true)),
    mut_arg("data_dir", |arg| arg.hide(true)),
    mut_arg("workers", |arg| arg.hide(true)),
    mut_arg("quick", |arg| arg.hide(true)),
    mut_arg("offline", |arg| arg.hide(true)),
    mut_arg("resume", |arg| arg.hide(true)),
    mut_arg("checkpoint_every", |arg| arg.hide(true)),
    mut_arg("require_target", |arg| arg.hide(true))
)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, or the model in it
    #[arg(value_name = "MODEL")]
    #[serde(serialize_with = "settings::path")]
    model: PathBuf,

    #[command(flatten)]
    #[serde(flatten)]
    photos: PhotoArgs,

    #[command(flatten)]
    #[serde(skip)]
    groups: GroupArgs, // so that the arguments of a training can be repeated

    /// Take what the model says from a table of `tallow predict --probabilities --out`, such as many processes have
    /// made with `--shard`, instead of computing it
    #[arg(long, value_name = "FILE")]
    #[serde(serialize_with = "settings::some_path")]
    predictions: Option<PathBuf>,

    #[command(flatten)]
    #[serde(skip)]
    common: CommonArgs,

    #[command(flatten)]
    #[serde(skip)]
    overwrite: OverwriteArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What is refused before anything is written.
pub(crate) fn check(args: &Args) -> Result<()> {
    args.overwrite.before_evaluating(&args.common, PROGRAM.name)
}

/// Predicts all photos and compares with the folders that they are in.
pub(crate) fn run(args: &Args, s: &mut Session) -> Result<()> {
    s.run.settings(args)?;
    let predictor = model::open(&args.model, args.common.device_name())?.listener(s.run.listener());
    let vocab = predictor.vocab();
    s.run.section("The photos");
    let folder = args.photos.folder();
    s.run.data(format!("photos in {}", folder.display()));
    let listener = s.run.listener();
    let images = judged(args.photos.read(&args.groups)?, &listener);
    let table = args.predictions.as_deref();
    if let Some(table) = table {
        s.run.say(format!("what the model says of them is taken from {}", table.display()));
    }
    if let Some(threshold) = predictor.threshold() {
        return multi_label::evaluate(s, &args.photos, &predictor, threshold, images, table);
    }
    if args.photos.is_multi_label() {
        return Err(Error::Usage("the model tells one class of each photo: leave `--multi-label` out".into()));
    }
    let (mut files, mut ys) = (Vec::new(), Vec::new());
    for image in images {
        let class = image.labels.join(" ");
        let known = vocab.iter().position(|name| *name == class).ok_or_else(|| {
            let known = vocab.join(", ");
            Error::file(&image.file, format!("has the class `{class}`, which is not one of the model's ({known})"))
        })?;
        ys.push(known as u32);
        files.push(image.file);
    }
    let (mut seen, mut labels, mut rows, mut strangers) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for ((file, y), prediction) in files.iter().zip(ys).zip(judgements(&predictor, &files, table)?) {
        match prediction {
            Ok(prediction) => {
                seen.push(file.clone());
                labels.push(y);
                strangers += usize::from(prediction.is_stranger);
                rows.push(prediction.probabilities);
            }
            Err(error) => listener.tell(Event::Note(&format!("left out: {error}"))),
        }
    }
    if seen.is_empty() {
        return Err(Error::file(folder, "holds no photo that can be read"));
    }
    let (n, n_classes) = (seen.len(), vocab.len());
    let interpretation = Interpretation::from_probabilities(&rows, &labels, vocab)?.with_files(seen)?;
    s.run.section("What it gets right, and what not");
    s.run.say(format!("{n} photos, {n_classes} classes: accuracy {:.4}", interpretation.confusion().accuracy()));
    let metrics: Vec<_> =
        interpretation.metrics()?.iter().map(|(name, v)| vec![name.to_string(), format!("{v:.4}")]).collect();
    s.run.table(&["metric", "value"], &metrics);
    trust::report_calibration(s, &predictor, &interpretation)?;
    if predictor.knows_strangers() {
        s.run.say(format!("{strangers} of {n} photos are unlike any in training"));
    }
    s.run.detail(
        "photos",
        serde_json::json!({ "evaluated": n, "left_out": files.len() - n, "unlike_training": strangers }),
    )?;
    one_class::report(s, &interpretation)
}

/// Those of the photos that are for judging: of a folder or a table with sides the test set, or else the validation
/// set. What is left out is reported.
fn judged(images: LabelledImages, listener: &Listener) -> Vec<LabelledImage> {
    let LabelledImages { images, notes, .. } = images;
    notes.iter().for_each(|note| listener.tell(Event::Note(note)));
    for (side, name) in [(Side::Test, "test set"), (Side::Valid, "validation set")] {
        let (chosen, others): (Vec<_>, Vec<_>) = images.iter().cloned().partition(|image| image.side == Some(side));
        if !chosen.is_empty() {
            if !others.is_empty() {
                let (n, rest) = (chosen.len(), others.len());
                let note = format!("evaluated on the {n} photos of the {name}; the {rest} of other sides are left out");
                listener.tell(Event::Note(&note));
            }
            return chosen;
        }
    }
    images
}
