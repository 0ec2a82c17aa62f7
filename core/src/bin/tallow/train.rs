//! `tallow train`: transfer learning on a folder of photos.

use crate::balance::BalanceArgs;
use crate::best::BestArgs;
use crate::judged::Judged;
use crate::overwrite::{MODEL, OverwriteArgs};
use crate::photos::{GroupArgs, PhotoArgs};
use crate::precision::PrecisionArgs;
use crate::transforms::TransformArgs;
use crate::{multi_label, settings, shown, trust, values};
use std::path::{Path, PathBuf};
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::collective::{BatchStatistics, World};
use tallow::data::{BadFiles, DataBlock, ImageBlock, ImageDataLoaders, TargetBlock, find_images};
use tallow::interpret::{plot_losses, show_batch};
use tallow::models::hub::HubConfig;
use tallow::text::shell_quoted;
use tallow::train::{Learner, Metric, Recorder, accuracy, balanced_accuracy, f1_score};
use tallow::vision_learner::{Arch, Pretrained, VisionConfig, VisionLearner, vision_learner};
use tallow::{Error, Result, optim};

pub(crate) const PROGRAM: Chapter = Chapter::new("tallow_train", "A classifier of photos");

const OUT: &str = "The folder for the model, the report, its figures and its numbers [default: out/tallow_train]";

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    next_help_heading = "Training",
    mut_arg("require_target", |arg| arg.hide(true)), // a chapter's: no photos of one's own have a target
    mut_arg("out", |arg| arg.help(OUT)),
    after_help = "The network's body is published and frozen: its features are computed once, and a head learns on \
                        them. With `--epochs` the whole network trains after that, with augmentation.\n\n\
                        The results are in the folder of `--out`: `model/` for `tallow predict`, `report.html`, \
                        `predictions.csv` with every photo judged, `metrics.json`, `history.csv` and plots. A finished \
                        run there is not replaced without `--overwrite`; `--resume` goes on with one that was stopped, \
                        if its photos and settings are the same."
)]
pub(crate) struct Args {
    #[command(flatten)]
    #[serde(flatten)]
    photos: PhotoArgs,

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
    #[arg(long, value_name = "RATE", default_value_t = 2e-3, value_parser = values::positive)]
    lr: f64,

    /// Height and width of the images that the network sees
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u16).range(32..=1024))]
    size: u16,

    /// Photos in a batch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = values::batch)]
    batch_size: u16,

    #[command(flatten)]
    #[serde(flatten)]
    precision: PrecisionArgs,

    /// The part of each class that is for validation, where no folder or table says it
    #[arg(long, value_name = "PART", default_value_t = 0.2, value_parser = values::part, help_heading = "Validation")]
    valid: f64,

    /// Cross-validation: train K times, each time with another K-th of the photos for validation, and tell the mean and
    /// the spread. It measures what a model will be worth; it leaves none
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(2..), help_heading = "Validation")]
    folds: Option<u16>,

    /// Stop at a file that cannot be read, instead of naming it and leaving it out
    #[arg(long)]
    strict: bool,

    /// Under mpirun: take the statistics of batch normalisation over a whole batch, as one process does, or over each
    /// process's part of it, which is faster and another training
    #[arg(long, value_name = "OF", value_enum, default_value_t = StatisticsArg::Batch)]
    batch_statistics: StatisticsArg,

    // Each of these has a heading in the help that also stands over what follows, so they come last.
    #[command(flatten)]
    #[serde(flatten)]
    groups: GroupArgs,

    #[command(flatten)]
    #[serde(flatten)]
    transforms: TransformArgs,

    #[command(flatten)]
    #[serde(flatten)]
    balance: BalanceArgs,

    #[command(flatten)]
    #[serde(flatten)]
    best: BestArgs,

    #[command(flatten)]
    #[serde(skip)] // the session writes them down, with the seed and the device that were found
    common: CommonArgs,

    #[command(flatten)]
    #[serde(skip)]
    overwrite: OverwriteArgs,

    /// The processes that train together, if this is one of several.
    #[arg(skip)]
    #[serde(skip)]
    pub(crate) world: Option<World>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum StatisticsArg {
    Batch,
    Process,
}

impl Args {
    /// Of what batch normalisation takes its statistics.
    pub(crate) fn statistics(&self) -> BatchStatistics {
        match self.batch_statistics {
            StatisticsArg::Batch => BatchStatistics::Synchronised,
            StatisticsArg::Process => BatchStatistics::PerRank,
        }
    }

    pub(crate) fn common_mut(&mut self) -> &mut CommonArgs {
        &mut self.common
    }
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What is refused before anything is written.
pub(crate) fn check(args: &Args) -> Result<()> {
    if args.photos.is_multi_label() && (args.balance.is_asked_for() || args.best.watches_one_class()) {
        let what =
            "where photos may show several classes, classes are not balanced, and `--best` knows `valid_loss` only";
        return Err(Error::Usage(format!("{what}: leave `--class-weights`, `--sampler` and other metrics out")));
    }
    // A name that was mistyped must not cost the run that is to be replaced.
    let named = [args.photos.table(), args.balance.file(), args.weights.as_deref()];
    for file in named.into_iter().flatten() {
        if !file.is_file() {
            return Err(Error::file(file, "is not there, or no file; check its name"));
        }
    }
    args.overwrite.before_training(&args.common, PROGRAM.name, args.photos.folder())
}

/// From photos to an exported model, or to the figures of cross-validation.
pub(crate) fn run(args: &Args, s: &mut Session) -> Result<()> {
    s.run.section("The photos");
    s.run.settings(args)?;
    let folder = args.photos.folder();
    s.run.data(format!("photos in {}", folder.display()));
    match args.photos.is_multi_label() {
        false => train_on(args, s, block(args, s, DataBlock::images())?),
        true => train_on(args, s, block(args, s, DataBlock::multi_label_images())?),
    }
}

fn train_on<Y: TargetBlock>(args: &Args, s: &mut Session, block: DataBlock<ImageBlock, Y>) -> Result<()> {
    let (folder, batch_size) = (args.photos.folder(), args.batch_size.into());
    if let Some(k) = args.folds {
        let folds = block.folds(folder, k.into(), batch_size)?;
        let folds = folds.into_iter().map(|dls| args.balance.drawn(dls)).collect::<Result<Vec<_>>>()?;
        return cross_validate(args, s, &folds);
    }
    let dls = args.balance.drawn(block.dataloaders(folder, batch_size)?)?;
    check_classes(folder, &dls)?;
    s.class_table(&dls);
    let seen = if args.epochs == 0 { dls.without_augmentation()? } else { dls.clone() };
    s.run.figure("training_photos", "Training photos as the network sees them.", &show_batch(&seen.train, 8)?)?;
    let (mut learner, measure) = train(args, s, &dls, "")?;
    s.run.section("What it gets right, and what not");
    let judged = Judged::of(&learner, &learner.image_dls().valid)?;
    judged.report(s)?;
    s.run.metric(judged.measure().0, measure);
    if let Judged::OneClass(judged) = &judged {
        trust::calibrate(s, &mut learner, judged)?;
    }
    learner.remember_images()?;
    if let Some(test) = &learner.image_dls().test {
        s.run.section("The test set, looked at once");
        Judged::of(&learner, test)?.report_test(s)?;
    }
    s.run.detail("photos", photos(folder, &dls)?)?;
    export(s, &learner, judged.measure().0, measure)
}

/// Trains the head, and the whole network if that is asked for. Gives the measure of the weights that are kept. `name`
/// tells one training of a run from another.
fn train(args: &Args, s: &mut Session, dls: &ImageDataLoaders, name: &str) -> Result<(VisionLearner, f64)> {
    let pretrained = args.weights.clone().map_or(Pretrained::Default, Pretrained::File);
    let config = VisionConfig::default()
        .pretrained(pretrained)
        .hub(HubConfig::from_env(&s.data).or_offline(s.offline))
        .device(&s.device)
        .loss(args.balance.loss(dls)?)
        .metrics(metrics(args, dls.is_multi_label()))
        .listener(s.run.listener())
        .checkpoints(s.checkpoints(&format!("{name}network")));
    let config = if args.precision.is_bf16() { config.to_bf16() } else { config };
    let config = match &args.world {
        Some(world) => config.distributed(world),
        None => config,
    };
    let config = args.best.callbacks().into_iter().fold(config, VisionConfig::boxed_callback);
    let config = match args.transforms.mixup(dls.n_classes(), s.seed) {
        Some(mixup) => config.callback(mixup),
        None => config,
    };
    let mut learner = vision_learner(dls, args.arch, config)?;

    s.run.section("The head, on the frozen body's features");
    let head = learner.head_learner(args.batch_size.into())?;
    let head = head.metrics(metrics(args, dls.is_multi_label()));
    let head = head.checkpoints(s.checkpoints(&format!("{name}head")));
    let mut head = args.best.callbacks().into_iter().fold(head, Learner::boxed_callback);
    let epochs = if s.quick { 2 } else { args.head_epochs.into() };
    let rate = 2.5 * args.lr; // as fine_tune's frozen phase, which has the whole rate for the head
    head.fit_one_cycle(epochs, rate)?;
    s.history(&format!("{name}head"), head.recorder())?;
    args.best.say_kept(s, &format!("{name}head"), head.recorder(), epochs);
    let mut kept = kept_measure(head.recorder())?;

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
        s.history(&format!("{name}network"), learner.recorder())?;
        args.best.say_kept(s, &format!("{name}network"), learner.recorder(), args.epochs.into());
        kept = kept_measure(learner.recorder())?;
        s.run.figure("losses", "The losses of the whole network.", &plot_losses(learner.recorder()).into())?;
    }
    Ok((learner, kept))
}

/// The measure of the weights that a phase of training ended with.
fn kept_measure(recorder: &Recorder) -> Result<f64> {
    let kept = recorder.kept_row().and_then(|row| row.metrics.first()).copied();
    kept.ok_or_else(|| Error::Value("no epoch came to its end".into()))
}

/// What is measured after each epoch, the measure that a model is known by first.
fn metrics(args: &Args, is_multi_label: bool) -> Vec<Metric> {
    if is_multi_label {
        return multi_label::metrics();
    }
    let mut metrics = vec![accuracy(), balanced_accuracy(), f1_score()];
    for more in args.best.metrics() {
        if !metrics.iter().any(|metric| metric.name() == more.name()) {
            metrics.push(more);
        }
    }
    metrics
}

/// How many photos each side has, and how many others are in the folder: those that could not be read, have no class or
/// are on no side, and are of kinds that are not read.
fn photos(folder: &Path, dls: &ImageDataLoaders) -> Result<serde_json::Value> {
    let sides = [Some(&dls.train), Some(&dls.valid), dls.test.as_ref()];
    let [train, valid, test] = sides.map(|side| side.map_or(0, |side| side.dataset().kept().len()));
    let found = find_images(folder)?;
    let left_out = (found.files.len() + found.n_unread()).saturating_sub(train + valid + test);
    Ok(serde_json::json!({ "train": train, "valid": valid, "test": test, "left_out": left_out }))
}

/// Trains with each fold in turn for validation; what each network says of photos that it has not seen makes one
/// report.
fn cross_validate(args: &Args, s: &mut Session, folds: &[ImageDataLoaders]) -> Result<()> {
    let (mut values, mut rows, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for (i, dls) in folds.iter().enumerate() {
        check_classes(args.photos.folder(), dls)?;
        s.run.section(format!("Fold {} of {}", i + 1, folds.len()));
        let (learner, _) = train(args, s, dls, &format!("fold{}_", i + 1))?;
        let judged = Judged::of(&learner, &learner.image_dls().valid)?;
        let (n, value) = (judged.n_items(), judged.measure().1);
        rows.push(vec![(i + 1).to_string(), dls.train.n_items().to_string(), n.to_string(), format!("{value:.4}")]);
        values.push(value);
        all.push(judged);
    }
    let judged = Judged::together(&all)?;
    let name = judged.measure().0;
    s.run.section("All folds");
    s.run.table(&["fold", "train", "valid", name], &rows);
    let (mean, std) = mean_and_std(&values);
    s.run.say(format!("{name} {mean:.4} ± {std:.4} (mean and standard deviation of {} folds)", folds.len()));
    s.run.metric(format!("{name}_mean"), mean);
    s.run.metric(format!("{name}_std"), std);
    if folds.iter().any(|dls| dls.test.is_some()) {
        s.run.say("the test set was not looked at: it is for the model that you choose");
    }
    s.run.section("What the networks get right of photos that they have not seen, and what not");
    judged.report(s)?;
    s.run.say("cross-validation leaves no model: train without `--folds` for one");
    Ok(())
}

/// The mean, and the standard deviation with `n - 1` in its denominator, as of a sample.
fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

/// Photos for training changed at random, for validation as predicted photos will be.
fn block<Y: TargetBlock>(
    args: &Args,
    s: &Session,
    block: DataBlock<ImageBlock, Y>,
) -> Result<DataBlock<ImageBlock, Y>> {
    args.transforms.tell_useless(args.epochs, &s.run.listener());
    args.precision.check(&s.device, args.epochs, &s.run.listener())?;
    let (train, valid) = args.transforms.transforms(args.size.into());
    Ok(block
        .labelled(args.photos.read(&args.groups)?)
        .valid_pct(args.valid)
        .item_tfms(train)
        .valid_tfms(valid)
        .bad_files(if args.strict { BadFiles::Stop } else { BadFiles::Skip })
        .seed(s.seed)
        .workers(s.workers)
        .listener(s.run.listener()))
}

fn check_classes(folder: &Path, dls: &ImageDataLoaders) -> Result<()> {
    let classes = dls.vocab().classes();
    if dls.is_multi_label() {
        return match classes {
            [] => Err(Error::file(folder, "has no photo with a class to train with")),
            _ => Ok(()),
        };
    }
    if classes.len() < 2 {
        let what = format!(
            "holds photos of one class only, `{}`; a classifier needs two folders of photos or more, or a table \
             (`--labels`), or names that tell the class (`--label-regex`); `tallow check` names photos that cannot be \
             read",
            classes.join("")
        );
        return Err(Error::file(folder, what));
    }
    Ok(())
}

fn export(s: &mut Session, learner: &VisionLearner, name: &str, measure: f64) -> Result<()> {
    // Ours before it is there: what a killed run leaves is not taken for the user's model.
    MODEL.iter().try_for_each(|file| s.run.claim(file).map(drop))?;
    learner.export_with(s.run.folder().join("model"), [(name.to_string(), measure)].into())?;
    s.run.say(format!("valid {name} {measure:.4}"));
    let shown = shown(s.run.folder());
    let typed = shell_quoted(shown);
    s.run.say(format!("the model is in {}: `tallow predict {typed} PHOTO...` uses it", shown.join("model").display()));
    Ok(())
}
