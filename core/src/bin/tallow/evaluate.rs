//! `tallow evaluate`: how good a classifier is on photos whose classes are known.

use crate::{model, train};
use candle_core::{Device, Tensor};
use std::path::PathBuf;
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::{image_files, parent_label};
use tallow::event::Event;
use tallow::interpret::Interpretation;
use tallow::vision::Image;
use tallow::{Error, Result};

pub(crate) const PROGRAM: Chapter = Chapter { name: "tallow_evaluate", title: "A classifier of photos, judged" };

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// Photos that the model did not train on, a folder for each class
    #[arg(value_name = "PHOTOS")]
    photos: PathBuf,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Predicts all photos and compares with the folders that they are in.
pub(crate) fn run(args: &Args, s: &mut Session) -> Result<()> {
    let predictor = model::open(&args.model, args.common.device_name())?;
    let vocab = predictor.vocab();
    s.run.section("The photos");
    s.run.data(format!("photos in {}", args.photos.display()));
    let files = image_files(&args.photos)?;
    let mut ys = Vec::new();
    for file in &files {
        let class = parent_label(file)?;
        let known = vocab.iter().position(|name| *name == class).ok_or_else(|| {
            let known = vocab.join(", ");
            Error::file(file, format!("is in the folder `{class}`, which is no class of the model ({known})"))
        })?;
        ys.push(known as u32);
    }
    let (mut seen, mut labels, mut logs) = (Vec::new(), Vec::new(), Vec::new());
    for ((file, y), prediction) in files.iter().zip(ys).zip(predictor.predict(&files)?) {
        match prediction {
            Ok(prediction) => {
                seen.push(file);
                labels.push(y);
                logs.extend(prediction.probabilities.iter().map(|p| p.max(1e-300).ln()));
            }
            Err(error) => s.run.listener().tell(Event::Note(&format!("left out: {error}"))),
        }
    }
    if seen.is_empty() {
        return Err(Error::file(&args.photos, "holds no photo that can be read"));
    }
    // The softmax of logarithms of probabilities are the probabilities.
    let scores = Tensor::from_vec(logs, (seen.len(), vocab.len()), &Device::Cpu)?; // [N, C]
    let labels = Tensor::new(labels.as_slice(), &Device::Cpu)?;
    let interpretation = Interpretation::new(&scores, &labels, vocab)?;
    let accuracy = tallow::metrics::accuracy(interpretation.predicted(), interpretation.actual())?;
    s.run.say(format!("{} photos, {} classes: accuracy {accuracy:.4}", seen.len(), vocab.len()));
    s.run.metric("accuracy", accuracy);
    train::report(s, &interpretation, |index| Image::open(seen[index]))
}
