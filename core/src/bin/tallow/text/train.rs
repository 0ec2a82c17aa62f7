//! `tallow text train`: a classifier of texts, beside simpler methods.

use super::judged;
use super::network::NetworkArgs;
use super::texts::SourceArgs;
use super::transformer;
use crate::best::BestArgs;
use crate::overwrite::{MODEL, OverwriteArgs};
use crate::shown;
use std::path::{Path, PathBuf};
use tallow::cli::{Chapter, CommonArgs, Session};
use tallow::data::{TextDataLoaders, TextLoader};
use tallow::event::Listener;
use tallow::interpret::{plot_losses, show_batch};
use tallow::text::shell_quoted;
use tallow::text_learner::{
    PretrainedText, TextConfig, TextPredictor, Writing, language_model_learner, text_classifier_learner,
};
use tallow::train::{Metric, accuracy, balanced_accuracy, f1_score, perplexity};
use tallow::{Error, Result};

pub(crate) const PROGRAM: Chapter = Chapter::new("tallow_text", "A classifier of texts");

const OUT: &str = "The folder for the model, the report, its figures and its numbers [default: out/tallow_text]";

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(
    mut_arg("require_target", |arg| arg.hide(true)), // a chapter's: no texts of one's own have a target to reach
    mut_arg("out", |arg| arg.help(OUT)),
    after_help = "The network is an AWD-LSTM as fast.ai's, smaller by default so that a CPU trains it in minutes; with \
                  `--encoder` a published transformer, which knows English already. \
                  Texts that are there twice, in two classes or on both sides are reported. Beside the network stands \
                  what tf-idf with logistic regression reaches, which on few or short texts often wins, and the page \
                  begins with which does.\n\n\
                  The results are in the folder of `--out`: `model/` for `tallow text predict`, `report.html`, \
                  `predictions.csv` with every text of validation, `metrics.json`, `history.csv` and plots. A finished \
                  run there is not replaced without `--overwrite`; `--resume` goes on with one that was stopped, if \
                  its texts and settings are the same."
)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    #[serde(flatten)]
    texts: SourceArgs,

    #[command(flatten)]
    #[serde(flatten)]
    pub(super) network: NetworkArgs,

    #[command(flatten)]
    #[serde(flatten)]
    pub(super) best: BestArgs,

    #[command(flatten)]
    #[serde(skip)] // the session writes them down, with the seed and the device that were found
    common: CommonArgs,

    #[command(flatten)]
    #[serde(skip)]
    overwrite: OverwriteArgs,
}

/// What a small network is on a CPU.
const SMALL: (u16, u16, u16) = (100, 256, 3);

impl AsRef<CommonArgs> for TrainArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What is refused before anything is written.
pub(crate) fn check(args: &TrainArgs) -> Result<()> {
    args.texts.check()?;
    let reads = args.network.pretrained.as_ref().and_then(|named| named.to_str());
    if reads.is_some_and(|name| name == if args.texts.is_backwards() { "wt103_fwd" } else { "wt103_bwd" }) {
        let what = "`wt103_bwd` reads texts backwards, which `--backwards` asks for, and `wt103_fwd` forwards";
        return Err(Error::Usage(what.into()));
    }
    if args.network.encoder.is_some() && args.texts.is_backwards() {
        return Err(Error::Usage("a published transformer reads forwards: leave `--backwards` out".into()));
    }
    args.overwrite.before_replacing(&args.common, PROGRAM.name)
}

/// From texts to an exported model.
pub(crate) fn run(args: &TrainArgs, s: &mut Session) -> Result<()> {
    s.run.section("The texts");
    s.run.settings(args)?;
    s.run.data(format!("texts in {}", args.texts.source().display()));
    let dls = args.texts.block(s).dataloaders(batch_size(args))?;
    describe(s, &dls)?;
    if let Some(named) = &args.network.encoder {
        let encoder = transformer::open(s, named)?;
        s.run.section("Training");
        let learner = transformer::train(&args.network, &args.best, s, &dls, &encoder, classifier_metrics(args))?;
        return finish(args, s, &learner.predictor(), &dls, |folder| learner.export(folder));
    }
    let pretrained = args.network.pretrained.as_deref().map(|folder| pretrained(s, folder)).transpose()?;

    let encoder = match args.network.language_model {
        Some(epochs) => Some(language_model(args, s, &dls, pretrained.as_ref(), epochs)?),
        None => None,
    };
    s.run.section("Training");
    let (word, width, layers) = size_of(args);
    s.run.text(format!(
        "An AWD-LSTM of fast.ai's kind, {layers} layers of {width} numbers on vectors of {word}, reads a text word by \
         word; a head judges the last thing that it made of the text, the largest and the mean."
    ));
    let mut learner = text_classifier_learner(&dls, config(args, s, "classifier", classifier_metrics(args)))?;
    s.run.say(format!("{} parameters", learner.params().num_parameters()));
    let epochs = if s.quick { 1 } else { args.network.epochs.into() };
    let lr = args.network.lr.unwrap_or(1e-2);
    match (&encoder, &pretrained) {
        (None, None) => learner.fit_one_cycle(epochs, lr)?,
        (Some(file), _) => {
            learner.load_encoder(file)?;
            learner.fit_gradually(epochs, lr)?;
        }
        (None, Some(published)) => {
            let unknown = learner.load_pretrained(published)?;
            say_matched(s, unknown, &dls);
            learner.fit_gradually(epochs, lr)?;
        }
    }
    s.history("classifier", learner.recorder())?;
    args.best.say_kept(s, "classifier", learner.recorder(), epochs);
    s.run.figure("losses", "The losses of the classifier.", &plot_losses(learner.recorder()).into())?;

    finish(args, s, &learner.predictor(), &dls, |folder| learner.export(folder))
}

/// Judges a trained classifier, and writes it down.
fn finish(
    args: &TrainArgs,
    s: &mut Session,
    predictor: &TextPredictor,
    dls: &TextDataLoaders,
    export_to: impl FnOnce(PathBuf) -> Result<()>,
) -> Result<()> {
    let judged = judged::judge(s, predictor, dls)?;
    judged::words(s, predictor, dls, &judged, args.network.words.into())?;
    export(s, export_to)
}

fn batch_size(args: &TrainArgs) -> usize {
    args.network.batch_size.unwrap_or(64).into()
}

/// What there is to learn from, in numbers and as a network sees it.
fn describe(s: &mut Session, dls: &TextDataLoaders) -> Result<()> {
    let sides: Vec<(&str, &TextLoader)> =
        [("train", Some(&dls.train)), ("valid", Some(&dls.valid)), ("test", dls.test.as_ref())]
            .into_iter()
            .filter_map(|(name, side)| Some((name, side?)))
            .collect();
    let [train, valid, test] = ["train", "valid", "test"]
        .map(|name| sides.iter().find(|(side, _)| *side == name).map_or(0, |(_, side)| side.n_items()));
    s.run.say(format!("{train} training texts, {valid} validation texts, {test} test texts"));
    s.run.detail("texts", serde_json::json!({ "train": train, "valid": valid, "test": test }))?;
    let counts = dls.classes().classes().iter().zip(dls.counts());
    let rows: Vec<Vec<String>> =
        counts.map(|(class, (train, valid))| vec![class.clone(), train.to_string(), valid.to_string()]).collect();
    s.run.table(&["class", "train", "valid"], &rows);
    let row = |&(name, side): &(&str, &TextLoader)| -> Vec<String> {
        let (n, unknown) = side.dataset().n_tokens();
        let mut lengths = side.dataset().lengths();
        lengths.sort_unstable();
        let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
        let longest = lengths.last().copied().unwrap_or_default();
        let share = 100.0 * unknown as f64 / n.max(1) as f64;
        let unknown = format!("{unknown} ({share:.1}%)");
        vec![name.to_string(), n.to_string(), median.to_string(), longest.to_string(), unknown]
    };
    let rows: Vec<Vec<String>> = sides.iter().map(row).collect();
    s.run.table(&["side", "words", "in a text", "in the longest", "unknown words"], &rows);
    let known = dls.procs().vocab.len();
    s.run.detail("words", serde_json::json!({ "known": known }))?;
    s.run.say(format!("{known} words are known, marks such as xxmaj (the next word begins with a capital) among them"));
    let caption = "Training texts as the network sees them: what it does not know is `xxunk`.";
    s.run.figure("training_texts", caption, &show_batch(&dls.train, 6)?)
}

/// Trains a language model and gives the file of its encoder.
fn language_model(
    args: &TrainArgs,
    s: &mut Session,
    dls: &TextDataLoaders,
    pretrained: Option<&PretrainedText>,
    epochs: u16,
) -> Result<PathBuf> {
    s.run.section("First a language model");
    s.run.text(
        "It learns to tell the next word of the same texts, whatever their classes are, a part of them held back; the \
         classifier begins with its encoder (ULMFiT). That helps where there are many texts and few classes are \
         known, and may do harm where the texts alone are few: compare with a run without it.",
    );
    // What looks wrong with the texts has been told.
    let block = args.texts.block(s).vocab(dls.procs().vocab.clone()).listener(Listener::default());
    let texts = block.language_model(batch_size(args))?;
    let caption = "Rows of the stream of all texts, and what is to be told: the same, a word later.";
    s.run.figure("language_model_texts", caption, &show_batch(&texts.train, 3)?)?;
    let metrics = vec![accuracy(), perplexity()];
    let mut learner = language_model_learner(&texts, config(args, s, "language_model", metrics))?;
    let epochs = if s.quick { 1 } else { usize::from(epochs) };
    if let Some(published) = pretrained {
        let unknown = learner.load_pretrained(published)?;
        say_matched(s, unknown, dls);
        learner.fit_one_cycle(1, args.network.language_model_lr)?;
        learner.unfreeze()?;
        learner.fit_one_cycle(epochs, args.network.language_model_lr / 10.0)?;
    } else {
        learner.fit_one_cycle(epochs, args.network.language_model_lr)?;
    }
    s.history("language_model", learner.recorder())?;
    let how = Writing { n_words: 20, temperature: 0.75, seed: s.seed, ..Writing::default() };
    s.run.say(format!("it goes on with \"The\": {}", learner.predict("The", how)?));
    let file = s.run.claim("encoder.safetensors")?;
    learner.save_encoder(&file)?;
    Ok(file)
}

/// A published language model, from a folder or from the data folder by its name.
fn pretrained(s: &mut Session, named: &Path) -> Result<PretrainedText> {
    let folder = match named.to_str() {
        Some(name @ ("wt103_fwd" | "wt103_bwd")) if !named.is_dir() => s.data.root().join(name),
        _ => named.to_path_buf(),
    };
    let published = PretrainedText::open(&folder)?;
    s.run.data(format!("the language model in {}", folder.display()));
    Ok(published)
}

fn say_matched(s: &mut Session, unknown: usize, dls: &TextDataLoaders) {
    let n = dls.procs().vocab.len();
    s.run.say(format!("{unknown} of {n} words are new to the published model, and begin with the mean of its words"));
}

fn size_of(args: &TrainArgs) -> (u16, u16, u16) {
    let usual = if args.network.pretrained.is_some() { (400, 1152, 3) } else { SMALL };
    args.network.size.unwrap_or(usual)
}

fn classifier_metrics(args: &TrainArgs) -> Vec<Metric> {
    let mut metrics = vec![accuracy(), balanced_accuracy(), f1_score()];
    for more in args.best.metrics() {
        if !metrics.iter().any(|metric| metric.name() == more.name()) {
            metrics.push(more);
        }
    }
    metrics
}

/// The settings of one of the two learners, by the name of its checkpoints.
fn config(args: &TrainArgs, s: &Session, name: &str, metrics: Vec<Metric>) -> TextConfig {
    let (word, width, layers) = size_of(args);
    let config = TextConfig::default()
        .size(word.into(), width.into(), layers.into())
        .drop_mult(args.network.drop_mult)
        .wd(args.network.wd)
        .metrics(metrics)
        .device(&s.device)
        .listener(s.run.listener())
        .checkpoints(s.checkpoints(name));
    match name {
        "classifier" => args.best.callbacks().into_iter().fold(config, TextConfig::boxed_callback),
        _ => config,
    }
}

fn export(s: &mut Session, export_to: impl FnOnce(PathBuf) -> Result<()>) -> Result<()> {
    // Ours before it is there: what a killed run leaves is not taken for another's model.
    MODEL.iter().try_for_each(|file| s.run.claim(file).map(drop))?;
    export_to(s.run.folder().join("model"))?;
    let shown = shown(s.run.folder());
    let typed = shell_quoted(shown);
    let model = shown.join("model");
    s.run.say(format!("the model is in {}: `tallow text predict {typed} \"A text\"` uses it", model.display()));
    Ok(())
}
