//! `tallow train`: transfer learning on a folder of photos.

use std::path::{Path, PathBuf};
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::{
    BadFiles, DataBlock, GrandparentSplitter, ImageDataLoaders, RandomSplitter, image_files, parent_label,
};
use tallow::interpret::{Interpretation, plot_losses};
use tallow::models::Arch;
use tallow::models::hub::{self, HubConfig};
use tallow::models::weights::Weights;
use tallow::plot::ImageGrid;
use tallow::train::{Checkpoints, EpochRow, Recorder, VisionConfig, VisionLearner, accuracy, vision_learner};
use tallow::vision::{CenterCrop, Compose, RandomHorizontalFlip, RandomResizedCrop, Resize, Transform};
use tallow::{Error, Result, optim};

pub(crate) const PROGRAM: Chapter = Chapter { name: "tallow_train", title: "A classifier of photos" };

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The network's body is published and frozen: its features are computed once, and a head learns on them. With \
                        `--epochs` the whole network trains after that, with augmentation.\n\n\
                        The results are in the folder of `--out`: `model/` for `tallow predict`, `report.html`, `history.csv` and \
                        plots."
)]
pub(crate) struct Args {
    /// Photos, a folder for each class; or `train` and `valid` with such folders in them
    #[arg(value_name = "PHOTOS")]
    photos: PathBuf,

    #[command(flatten)]
    common: CommonArgs,

    /// The network: efficientnet_lite0, which is part of the program, resnet34, convnext_tiny, ...
    #[arg(long, value_name = "NAME", default_value = "efficientnet_lite0")]
    arch: Arch,

    /// Its pretrained weights, safetensors or PyTorch's .pth [default: the published ones, fetched if they are not here]
    #[arg(long, value_name = "FILE")]
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

    /// Height and width of the pictures that the network sees
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u16).range(32..=1024))]
    size: u16,

    /// Photos in a batch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(2..))]
    batch_size: u16,

    /// The part of the photos that judges and does not train, where there is no folder `valid`
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
    let dls = loaders(args, s)?;
    let weights = weights(args, s)?;
    let config = VisionConfig::pretrained(&weights).seed(s.seed);
    let mut learner = vision_learner(&dls, args.arch, &config, &s.device)?;
    learner = learner.metrics([accuracy]).listener(s.run.listener());

    s.run.section("The head, on the frozen body's features");
    let head = learner.head_learner(args.batch_size.into())?.metrics([accuracy]);
    let mut head = head.checkpoints(checkpoints(s, "head"))?;
    let rate = 2.5 * args.lr; // as fine_tune's frozen phase, which has the whole rate for the head
    head.fit_one_cycle(if s.quick { 2 } else { args.head_epochs.into() }, rate)?;
    history(s, "head", head.recorder())?;
    let mut last = head.recorder().metric(0).last().copied().unwrap_or_default();

    if args.epochs > 0 {
        s.run.section("The whole network");
        learner.unfreeze()?;
        learner.freeze_body_batch_norm(true);
        learner = learner.checkpoints(checkpoints(s, "network"))?;
        // The second half of fast.ai's fine_tune: half the rate, spread from the first layers to the head.
        let schedule = optim::OneCycle {
            pct_start: 0.3,
            div: 5.0,
            ..optim::OneCycle::new(optim::slice(args.lr / 200.0, args.lr / 2.0))
        };
        learner.fit_schedule(args.epochs.into(), &schedule)?;
        history(s, "network", learner.recorder())?;
        last = learner.recorder().metric(0).last().copied().unwrap_or(last);
        s.run.figure("losses", "The losses of the whole network.", &plot_losses(learner.recorder()).into())?;
    }
    s.run.metric("accuracy", last);
    judge(s, &learner)?;
    export(s, &learner, last)
}

/// Photos in batches: cropped at random and mirrored to train with, whole and upright to judge by.
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
    let rows: Vec<Vec<String>> = classes
        .iter()
        .zip(dls.counts())
        .map(|(class, (train, valid))| vec![class.clone(), train.to_string(), valid.to_string()])
        .collect();
    s.run.table(&["class", "to train with", "to judge by"], &rows);
    let mut grid = ImageGrid::new("", 4);
    for shown in dls.train.show_batch(8)? {
        grid = grid.rgb(shown.picture.width(), shown.picture.height(), shown.picture.bytes()).caption(shown.caption);
    }
    s.run.figure("training_photos", "Training photos as the network sees them.", &grid.into())?;
    Ok(dls)
}

fn weights(args: &Args, s: &Session) -> Result<Weights> {
    if let Some(file) = &args.weights {
        return Weights::open(file);
    }
    let config = HubConfig::from_env(&s.data).or_offline(s.offline);
    hub::weights(args.arch, &config, &s.run.listener())?.open()
}

/// What a killed run needs, for `--resume`.
fn checkpoints(s: &Session, name: &str) -> Checkpoints {
    Checkpoints {
        file: s.run.folder().join("checkpoints").join(format!("{name}.safetensors")),
        every: s.checkpoint_every,
        resume: s.resume,
    }
}

fn history(s: &mut Session, name: &str, recorder: &Recorder) -> Result<()> {
    let row = |row: &EpochRow| [&[row.epoch as f64, row.train_loss, row.valid_loss], &row.metrics[..]].concat();
    let rows: Vec<Vec<f64>> = recorder.rows.iter().map(row).collect();
    s.run.history(name, &["epoch", "train_loss", "valid_loss", "accuracy"], &rows)
}

/// How the network does on the photos that did not train it.
fn judge(s: &mut Session, learner: &VisionLearner) -> Result<()> {
    s.run.section("What it gets right, and what not");
    let valid = &learner.image_dls().valid;
    let interpretation = Interpretation::from_learner(learner, valid, learner.vocab())?;
    let kept = valid.dataset().kept();
    report(s, &interpretation, |index| valid.dataset().image(kept[index]))
}

/// The report, the confusion matrix and the worst mistakes.
pub(crate) fn report(
    s: &mut Session,
    interpretation: &Interpretation,
    picture: impl Fn(usize) -> Result<tallow::vision::Image>,
) -> Result<()> {
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
    let mut grid = ImageGrid::new("", 4);
    for top in interpretation.top_losses(12) {
        let picture = Resize::crop(150).apply(&picture(top.index)?, &mut tallow::rng::Rng::new(0))?;
        grid = grid
            .rgb(picture.width(), picture.height(), picture.bytes())
            .caption(format!("{}, taken for {} ({:.2})", top.actual, top.predicted, top.probability))
            .correct(top.actual == top.predicted);
    }
    s.run.figure("top_losses", "The photos that cost the most.", &grid.into())
}

fn export(s: &mut Session, learner: &VisionLearner, accuracy: f64) -> Result<()> {
    let folder = s.run.folder().join("model");
    learner.export_with(&folder, [("accuracy".to_string(), accuracy)].into())?;
    s.run.artifact(folder.join("model.safetensors"));
    s.run.artifact(folder.join("learner.json"));
    s.run.say(format!("valid accuracy {accuracy:.4}"));
    let shown = shown(s.run.folder());
    s.run.say(format!("the model is in {shown}/model: `tallow predict {shown} PHOTO...` uses it"));
    Ok(())
}

fn shown(folder: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    folder.strip_prefix(here).unwrap_or(folder).display().to_string()
}
