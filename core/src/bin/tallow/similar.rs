//! `tallow similar`: the photos of a folder that look most like one.

use crate::{model, say_line};
use std::path::{Path, PathBuf};
use tallow::text::visible_line;
use tallow::vision::Image;
use tallow::vision_learner::{ImageIndex, Predictor};
use tallow::{Error, Result};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each line is a photo and the cosine of the angle between its features and those of PHOTO: 1 for the \
                  same photo, around 0 for photos that have nothing in common. Features are what MODEL's network sees, \
                  whatever its classes are. They are kept in a hidden file in FOLDER (5 KB a photo), so that a second \
                  search computes those of new and changed photos alone."
)]
pub(crate) struct Args {
    /// The folder of a run of `tallow train`, or the model in it
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// The photo
    #[arg(value_name = "PHOTO")]
    photo: PathBuf,

    /// Where to look for photos like it
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// How many
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let predictor = model::open(&args.model, &args.device)?;
    let features = predictor.image_features(&Image::open(&args.photo)?)?;
    let index = open(&args.folder, &predictor)?;
    for (file, cosine) in index.nearest(&features, args.top.into())? {
        say_line(format!("{cosine:.4}  {}", file.display()))?;
    }
    Ok(())
}

/// Brings the index of a folder up to date, and tells what is not in it.
pub(crate) fn open(folder: &Path, predictor: &Predictor) -> Result<ImageIndex> {
    let index = ImageIndex::open(folder, predictor)?;
    for (file, why) in index.left_out() {
        // Most reasons begin with the file.
        let name = file.display().to_string();
        let line = if why.starts_with(&name) { why.clone() } else { format!("{name}: {why}") };
        eprintln!("note: left out: {}", visible_line(&line));
    }
    if index.is_empty() {
        return Err(Error::file(folder, "holds no photo that can be read"));
    }
    eprintln!("{} photos, of which {} are new to the index", index.len(), index.n_computed());
    if let Some(why) = index.unsaved() {
        eprintln!("note: the features are computed anew next time, since they cannot be kept: {}", visible_line(why));
    }
    Ok(index)
}
