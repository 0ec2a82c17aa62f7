//! `tallow train`: transfer learning on a folder of photos.

use crate::balance::BalanceArgs;
use crate::{judgement, settings};
use std::path::{Path, PathBuf};
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::{
    BadFiles, DataBlock, GrandparentSplitter, ImageDataLoaders, RandomSplitter, image_files, parent_label,
};
use tallow::interpret::{Interpretation, plot_losses, show_batch};
use tallow::models::hub::HubConfig;
use tallow::text::shell_quoted;
use tallow::train::{Metric, accuracy, balanced_accuracy, f1_score};
use tallow::vision::{CenterCrop, Compose, RandomHorizontalFlip, RandomResizedCrop, Resize, Transform};
use tallow::vision_learner::{Arch, Pretrained, VisionConfig, VisionLearner, vision_learner};
use tallow::{Error, Result, optim};

pub(crate) const PROGRAM: Chapter = Chapter { name: "tallow_train", title: "A classifier of photos" };

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    after_help = "The network's body is published and frozen: its features are computed once, and a head learns on \
                        them. With `--epochs` the whole network trains after that, with augmentation.\n\n\
                        The results are in the folder of `--out`: `model/` for `tallow predict`, `report.html`, \
                        `predictions.csv` with every photo judged, `metrics.json`, `history.csv` and plots."
)]
pub(crate) struct Args {
    /// Photos, a folder for each class; or `train` and `valid` with such folders in them
    #[arg(value_name = "PHOTOS")]
    #[serde(serialize_with = "settings::path")]
    photos: PathBuf,

    #[command(flatten)]
    #[serde(skip)] // the session writes them down, with the seed and the device that were found
    common: CommonArgs,

    #[command(flatten)]
    #[serde(flatten)]
    balance: BalanceArgs,

    /// The network: efficientnet_lite0, which is part of the program, resnet34, convnext_tiny, ...
    #[arg(long, value_name = "NAME", default_value = "efficientnet_lite0")]
    #[serde(serialize_with = "settings::shown")]
    arch: Arch,

    /// Its pretrained weights, safetensors or PyTorch's .pth [default: the published ones, fetched if they are not
    /// here]
    #[arg(long, value_name = "FILE")]
    #[serde(serialize_with = "settings::some_path")]
    weights: Option<PathBuf>,

    /// Epochs of the head on the frozen body's features
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    head_epochs: u16,

    /// Epochs of the whole network after that
    #[arg(long, value_name = "N", default_value_t = 0)]
    epochs: u16,

    /// The highest learning rate; the body's first layers get a hundredth of it
    #[arg(long, value_name = "RATE", default_value_t = 2e-3, value_parser = rate)]
    lr: f64,

    /// Height and width of the images that the network sees
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u16).range(32..=1024))]
    size: u16,

    /// Photos in a batch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(2..))]
    batch_size: u16,

    /// The part of the photos that is for validation, where there is no folder `valid`
    #[arg(long, value_name = "PART", default_value_t = 0.2, value_parser = part)]
    valid: f64,

    /// Stop at a file that cannot be read, instead of naming it and leaving it out
    #[arg(long)]
    strict: bool,
}

fn rate(text: &str) -> std::result::Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| *rate > 0.0 && rate.is_finite());
    rate.ok_or_else(|| "expected a number above 0, such as 0.002".into())
}

fn part(text: &str) -> std::result::Result<f64, String> {
    text.parse()
        .ok()
        .filter(|part| *part > 0.0 && *part < 1.0)
        .ok_or_else(|| "expected a number between 0 and 1".into())
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// From photos to an exported model.
pub(crate) fn run(args: &Args, s: &mut Session) -> Result<()> {
    s.run.settings(args)?;
    let dls = args.balance.drawn(loaders(args, s)?)?;
    let pretrained = args.weights.clone().map_or(Pretrained::Default, Pretrained::File);
    let config = VisionConfig::default()
        .pretrained(pretrained)
        .hub(HubConfig::from_env(&s.data).or_offline(s.offline))
        .device(&s.device)
        .loss(args.balance.loss(&dls)?)
        .metrics(metrics())
        .listener(s.run.listener())
        .checkpoints(s.checkpoints("network"));
    let mut learner = vision_learner(&dls, args.arch, config)?;

    s.run.section("The head, on the frozen body's features");
    let head = learner.head_learner(args.batch_size.into())?.metrics(metrics());
    let mut head = head.checkpoints(s.checkpoints("head"));
    let rate = 2.5 * args.lr; // as fine_tune's frozen phase, which has the whole rate for the head
    head.fit_one_cycle(if s.quick { 2 } else { args.head_epochs.into() }, rate)?;
    s.history("head", head.recorder())?;
    let mut last = head.recorder().metric(0).last().copied().unwrap_or_default();

    if args.epochs > 0 {
        s.run.section("The whole network");
        learner.unfreeze()?;
        learner.freeze_body_batch_norm(true);
        // The second half of fast.ai's fine_tune: half the rate, spread from the first layers to the head.
        let schedule = optim::OneCycle {
            pct_start: 0.3,
            div: 5.0,
            ..optim::OneCycle::new(optim::slice(args.lr / 200.0, args.lr / 2.0))
        };
        learner.fit_schedule(args.epochs.into(), &schedule)?;
        s.history("network", learner.recorder())?;
        last = learner.recorder().metric(0).last().copied().unwrap_or(last);
        s.run.figure("losses", "The losses of the whole network.", &plot_losses(learner.recorder()).into())?;
    }
    s.run.metric("accuracy", last);
    s.run.section("What it gets right, and what not");
    report(s, &Interpretation::from_learner(&learner)?)?;
    s.run.detail("photos", photos(&dls))?;
    export(s, &learner, last)
}

/// What the tables show after each epoch; the first is the one that the model is known by.
fn metrics() -> [Metric; 3] {
    [accuracy(), balanced_accuracy(), f1_score()]
}

/// How many photos were trained with, judged by, and left out because they could not be read.
fn photos(dls: &ImageDataLoaders) -> serde_json::Value {
    let [train, valid] = [&dls.train, &dls.valid].map(|side| side.dataset().kept().len());
    let left_out = dls.train.n_items() + dls.valid.n_items() - train - valid;
    serde_json::json!({ "train": train, "valid": valid, "left_out": left_out })
}

/// Photos in batches: for training cropped at random and mirrored, for validation whole and upright.
fn loaders(args: &Args, s: &mut Session) -> Result<ImageDataLoaders> {
    s.run.section("The photos");
    s.run.data(format!("photos in {}", args.photos.display()));
    let side = usize::from(args.size);
    let train: Vec<Transform> =
        vec![RandomResizedCrop::new(side).min_scale(0.35).into(), RandomHorizontalFlip::default().into()];
    let valid = Compose::new().then(Resize::short_side(side * 8 / 7)).then(CenterCrop::new(side));
    let block = DataBlock::images()
        .items(image_files)
        .label(parent_label)
        .item_tfms(train)
        .valid_tfms(valid)
        .bad_files(if args.strict { BadFiles::Stop } else { BadFiles::Skip })
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.run.listener());
    let is_split = args.photos.join("train").is_dir() && args.photos.join("valid").is_dir();
    let block = match is_split {
        true => block.split(GrandparentSplitter::default()),
        false => block.split(RandomSplitter { valid: args.valid, seed: s.seed }),
    };
    let dls = block.dataloaders(&args.photos, args.batch_size.into())?;
    let classes = dls.vocab().classes();
    if classes.len() < 2 {
        let what = format!(
            "holds photos of one class only, `{}`; a classifier needs two folders of photos or more",
            classes.join("")
        );
        return Err(Error::file(&args.photos, what));
    }
    s.class_table(&dls);
    s.run.figure("training_photos", "Training photos as the network sees them.", &show_batch(&dls.train, 8)?)?;
    Ok(dls)
}

/// The report, the confusion matrix and the worst mistakes.
pub(crate) fn report(s: &mut Session, interpretation: &Interpretation) -> Result<()> {
    s.run.say(interpretation.classification_report()?);
    let caption = "How many photos of each class were taken for what.";
    s.run.figure("confusion", caption, &interpretation.plot_confusion_matrix().into())?;
    let rows: Vec<Vec<String>> = interpretation
        .most_confused(1)
        .into_iter()
        .take(10)
        .map(|c| vec![c.actual, c.predicted, c.count.to_string()])
        .collect();
    if !rows.is_empty() {
        s.run.table(&["class", "taken for", "photos"], &rows);
    }
    let caption =
        "The photos with the largest losses: file, class, what it was taken for, how sure the network was, loss.";
    s.run.figure("top_losses", caption, &interpretation.plot_top_losses(12)?.into())?;
    judgement::write(s, interpretation)
}

fn export(s: &mut Session, learner: &VisionLearner, accuracy: f64) -> Result<()> {
    let folder = s.run.folder().join("model");
    learner.export_with(&folder, [("accuracy".to_string(), accuracy)].into())?;
    s.run.artifact(folder.join("model.safetensors"));
    s.run.artifact(folder.join("learner.json"));
    s.run.say(format!("valid accuracy {accuracy:.4}"));
    let shown = shown(s.run.folder());
    let typed = shell_quoted(shown);
    s.run.say(format!("the model is in {}: `tallow predict {typed} PHOTO...` uses it", shown.join("model").display()));
    Ok(())
}

/// A folder as a user in the current one would name it.
fn shown(folder: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    folder.strip_prefix(here).ok().filter(|inside| *inside != Path::new("")).unwrap_or(folder)
}
