//! `tallow segment train`: a U-Net on pictures with masks.

use super::pictures::PictureArgs;
use super::report;
use crate::overwrite::{MODEL, OverwriteArgs};
use crate::precision::PrecisionArgs;
use crate::{settings, values};
use std::path::PathBuf;
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::SegmentationDataLoaders;
use tallow::interpret::{SegmentationInterpretation, plot_losses, show_batch};
use tallow::models::hub::HubConfig;
use tallow::nn::{PixelLoss, SegmentationLoss};
use tallow::text::shell_quoted;
use tallow::train::{FineTune, Monitor, SaveBest, jaccard_multi, pixel_accuracy};
use tallow::unet_learner::{Arch, Pretrained, UnetConfig, UnetLearner, unet_learner};
use tallow::{Error, Result};

pub(crate) const PROGRAM: Chapter = Chapter::new("tallow_segment", "What each pixel shows");

const OUT: &str = "The folder for the model, the report, its figures and its numbers [default: out/tallow_segment]";

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    next_help_heading = "Training",
    mut_arg("require_target", |arg| arg.hide(true)), // a chapter's: no pictures of one's own have a target
    mut_arg("out", |arg| arg.help(OUT)),
    after_help = "The network is a U-Net on a published body: first its new layers train while the body is frozen, \
                  then all of it.\n\n\
                  The results are in the folder of `--out`: `model/` for `tallow segment predict`, `report.html`, \
                  `predictions.csv` with a row for every picture of validation, `metrics.json`, `history.csv` and \
                  plots. A finished run there is not replaced without `--overwrite`; `--resume` goes on with one that \
                  was stopped, if its pictures, masks and settings are the same."
)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    #[serde(flatten)]
    pictures: PictureArgs,

    /// The network's body: efficientnet_lite0, which is part of the program, resnet18, resnet34, ...
    #[arg(long, value_name = "NAME", default_value = "efficientnet_lite0", help_heading = "Training")]
    #[serde(serialize_with = "settings::shown")]
    arch: Arch,

    /// Its pretrained weights, safetensors or PyTorch's .pth [default: the published ones, fetched if they are not
    /// here]
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    #[serde(serialize_with = "settings::some_path")]
    weights: Option<PathBuf>,

    /// Epochs of the new layers while the body is frozen
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Training")]
    freeze_epochs: u16,

    /// Epochs of the whole network after that
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..),
          help_heading = "Training")]
    epochs: u16,

    /// The highest learning rate; the body's first layers get a hundredth of it
    #[arg(long, value_name = "RATE", default_value_t = 2e-3, value_parser = values::positive,
          help_heading = "Training")]
    lr: f64,

    /// Pictures in a batch
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..),
          help_heading = "Training")]
    batch_size: u16,

    #[command(flatten, next_help_heading = "Training")]
    #[serde(flatten)]
    precision: PrecisionArgs,

    /// What is made small
    #[arg(long, value_name = "LOSS", value_enum, default_value_t = LossArg::CrossEntropy, help_heading = "Training")]
    loss: LossArg,

    /// Keep the weights of the epoch with the largest mean intersection over union, instead of the last one's
    #[arg(long, help_heading = "Training")]
    best: bool,

    #[command(flatten)]
    #[serde(skip)] // the session writes them down, with the seed and the device that were found
    common: CommonArgs,

    #[command(flatten)]
    #[serde(skip)]
    overwrite: OverwriteArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum LossArg {
    /// The mean of the pixels' cross entropies
    CrossEntropy,
    /// The same, with less weight for what is right already
    Focal,
    /// How little masks and predictions overlap, each class as much as the others: for small objects
    Dice,
}

impl AsRef<CommonArgs> for TrainArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What is refused before anything is written.
pub(crate) fn check(args: &TrainArgs) -> Result<()> {
    args.pictures.check()?;
    if let Some(file) = args.weights.as_ref().filter(|file| !file.is_file()) {
        return Err(Error::file(file, "is not there, or no file; check its name"));
    }
    args.overwrite.before_replacing(&args.common, PROGRAM.name)
}

/// From pictures with masks to an exported model.
pub(crate) fn run(args: &TrainArgs, s: &mut Session) -> Result<()> {
    args.precision.check(&s.device, args.epochs, &s.run.listener())?;
    s.run.section("The pictures");
    s.run.settings(args)?;
    s.run.data(format!("pictures in {}", args.pictures.folder().display()));
    let dls = args.pictures.loaders(s, args.batch_size.into())?;
    report::pictures(s, &dls)?;
    let caption = "Training pictures as the network sees them, with their masks.";
    s.run.figure("training_pictures", caption, &show_batch(&dls.train, 8)?)?;

    s.run.section("Training");
    let mut learner = learner(args, s, &dls)?;
    let epochs = if s.quick { 1 } else { args.epochs.into() };
    let fine_tune = FineTune { base_lr: args.lr, freeze_epochs: args.freeze_epochs.into(), ..FineTune::default() };
    learner.fine_tune(epochs, fine_tune)?;
    s.history("unet", learner.recorder())?;
    s.run.figure("losses", "The losses of training.", &plot_losses(learner.recorder()).into())?;
    if args.best
        && let Some(row) = learner.recorder().kept_row()
    {
        let (epoch, value) = (row.epoch, row.metrics.last().copied().unwrap_or(f64::NAN));
        s.run.say(format!("kept is epoch {epoch}, the best by intersection over union ({value:.4})"));
        s.run.metric("kept_epoch", epoch as f64);
    }

    s.run.section("What it gets right, and what not");
    let valid = &learner.segmentation_dls().valid;
    let judged = SegmentationInterpretation::from_loader(&learner, valid)?;
    report::validation(s, &learner, &judged)?;
    if let Some(test) = &learner.segmentation_dls().test {
        s.run.section("The test set, looked at once");
        report::test(s, &SegmentationInterpretation::from_loader(&learner, test)?)?;
    }
    export(s, &learner)
}

fn learner(args: &TrainArgs, s: &Session, dls: &SegmentationDataLoaders) -> Result<UnetLearner> {
    let of = match args.loss {
        LossArg::CrossEntropy => PixelLoss::CrossEntropy,
        LossArg::Focal => PixelLoss::focal(),
        LossArg::Dice => PixelLoss::dice(),
    };
    let jaccard = jaccard_multi(dls.void());
    let best = SaveBest::new(Monitor::highest(jaccard.name()));
    let config = UnetConfig::default()
        .pretrained(args.weights.clone().map_or(Pretrained::Default, Pretrained::File))
        .hub(HubConfig::from_env(&s.data).or_offline(s.offline))
        .seed(s.seed)
        .device(&s.device)
        .loss(SegmentationLoss { of, ..SegmentationLoss::default() })
        .metrics([pixel_accuracy(dls.void()), jaccard])
        .listener(s.run.listener())
        .checkpoints(s.checkpoints("unet"));
    let config = if args.precision.is_bf16() { config.to_bf16() } else { config };
    unet_learner(dls, args.arch, if args.best { config.callback(best) } else { config })
}

fn export(s: &mut Session, learner: &UnetLearner) -> Result<()> {
    // Ours before it is there: what a killed run leaves is not taken for the user's model.
    MODEL.iter().try_for_each(|file| s.run.claim(file).map(drop))?;
    learner.export(s.run.folder().join("model"))?;
    let shown = crate::shown(s.run.folder());
    let typed = shell_quoted(shown);
    s.run.say(format!(
        "the model is in {}: `tallow segment predict {typed} PHOTO... --out MASKS` uses it",
        shown.join("model").display()
    ));
    Ok(())
}
