//! Ways to train a pretrained network: all of it, its last layer alone, its last stages; and all of it with its
//! statistics kept.

use crate::data::Task;
use crate::network::{config, learner, trained_parameters};
use crate::outcome::{Outcome, finish, predictions};
use std::time::Instant;
use tallow::Result;
use tallow::cli::Session;
use tallow::models::weights::Weights;
use tallow::optim::{Sgd, StepLr, slice};
use tallow::train::{EpochRow, Monitor, SaveBest, accuracy};
use tallow::vision_learner::VisionLearner;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// Training everything
    All,
    /// The body as a fixed feature extractor
    Features,
    /// The last stages and the last layer
    Stages,
    /// Everything, with the body's statistics kept
    Kept,
}

/// The source's optimizer and schedule: SGD with momentum 0.9, learning rate 0.001, a tenth of it after seven epochs.
fn sgd() -> (Sgd, StepLr) {
    (Sgd::torch(0.9, 0.0), StepLr::new(0.001, 7))
}

/// The best weights are put back at the end, as the source does with a copy of its `state_dict`.
fn best() -> SaveBest {
    SaveBest::new(Monitor::highest("accuracy"))
}

// --- 4. Training everything ------------------------------------------------------------------------------------------

pub(crate) fn training_everything(s: &mut Session, task: &Task, weights: &Weights) -> Result<Outcome> {
    s.section("Training everything");
    s.text(
        "
        **Fine-tuning**: all weights may move, beginning from the pretrained ones. Cross entropy, SGD with a small
        learning rate, which falls to a tenth every seven epochs, and a copy of the weights of the best epoch so far.
        ",
    );
    let (sgd, schedule) = sgd();
    let config = config(s, weights).opt(sgd).callback(best()).train_metrics().checkpoints(s.checkpoints("everything"));
    let mut learner = learner(task, config)?;
    let (trained, start) = (trained_parameters(&learner), Instant::now());
    learner.fit_schedule(task.epochs, &schedule)?;
    let outcome = finish(s, "everything", learner, trained, None, start)?;
    let first = |ours: fn(&EpochRow) -> f64| outcome.rows.iter().take(3).map(ours).collect::<Vec<f64>>();
    s.check("train Loss", &first(|row| row.train_loss))?;
    s.check("train Acc", &first(|row| row.train_metrics[0]))?;
    s.check("val Loss", &first(|row| row.valid_loss))?;
    s.check("val Acc", &first(|row| row.metrics[0]))?;
    s.check("best val Acc, everything trained", outcome.best)?;
    predictions(s, &outcome)?;
    Ok(outcome)
}

// --- 5. The fixed feature extractor ----------------------------------------------------------------------------------

pub(crate) fn the_fixed_feature_extractor(s: &mut Session, task: &Task, weights: &Weights) -> Result<Outcome> {
    s.section("The fixed feature extractor");
    s.text(
        "
        Training everything is slow, and often needless. If the body does not train, it makes the same features of a
        photo every time. So they are computed **once**, without augmentation, and the last layer trains on them: 25
        epochs take less time than one did. Batches of four, as in the source.
        ",
    );
    let (sgd, schedule) = sgd();
    let mut learner = learner(task, config(s, weights))?;
    let start = Instant::now();
    let head_name = learner.head_name().to_string();
    learner.train_only(&[&head_name])?;
    let trained = trained_parameters(&learner);
    let head = learner.head_learner(4)?.metrics([accuracy()]).train_metrics().opt(sgd).callback(best());
    let mut head = head.checkpoints(s.checkpoints("last_layer"));
    s.say(format!("features of {} photos: {:.1} s", count(task), start.elapsed().as_secs_f64()));
    head.fit_schedule(if s.quick { 10 } else { 25 }, &schedule)?;
    let outcome = finish(s, "last layer", learner, trained, Some(&head), start)?;
    s.check("best val Acc, fixed features", outcome.best)?;
    if !task.own_photos && !s.quick {
        s.target("fixed features: valid accuracy", outcome.best, 0.9);
    }
    Ok(outcome)
}

fn count(task: &Task) -> usize {
    task.dls.train.n_items() + task.dls.valid.n_items()
}

// --- 6. Unfreezing the last stages -----------------------------------------------------------------------------------

pub(crate) fn unfreezing_the_last_stages(s: &mut Session, task: &Task, weights: &Weights) -> Result<Outcome> {
    s.section("Unfreezing the last stages");
    s.text(
        "
        Between the two lies the middle: the first stages see edges and textures, which serve any photo; the last ones
        see parts of the things they were trained on. The source unfreezes `layer3` and `layer4` by name, and its loop
        freezes everything else, even the new `fc`, which then stays as random as it began. We train the last layer too.
        ",
    );
    let (sgd, schedule) = sgd();
    let config = config(s, weights).opt(sgd).callback(best()).train_metrics().checkpoints(s.checkpoints("last_stages"));
    let mut learner = learner(task, config)?;
    let parts = last_stages(&learner);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    learner.train_only(&parts)?;
    parts.iter().for_each(|part| s.say(format!("{part} has been unfrozen.")));
    let (trained, start) = (trained_parameters(&learner), Instant::now());
    learner.fit_schedule(task.epochs, &schedule)?;
    finish(s, "last stages", learner, trained, None, start)
}

// --- 7. Keeping the statistics ---------------------------------------------------------------------------------------

pub(crate) fn keeping_the_statistics(s: &mut Session, task: &Task, weights: &Weights) -> Result<Outcome> {
    s.section("Training everything, with the statistics kept");
    s.text(
        "
        One more way, which the source does not have. Batch normalisation has a memory of its own: the mean and the
        deviation of everything that the network was pretrained on. While training it uses those of **the current
        batch** instead, a few images of a few classes, and the pretrained layers behind it get numbers that they are
        not used to. So here the body keeps the statistics that it came with, in training as afterwards. All weights
        learn, with Adam and a one-cycle schedule, from a last layer that has already learnt on cached features.
        ",
    );
    let config = config(s, weights).callback(best()).train_metrics().checkpoints(s.checkpoints("kept"));
    let mut learner = learner(task, config)?;
    let start = Instant::now();
    let head_name = learner.head_name().to_string();
    learner.train_only(&[&head_name])?;
    let (sgd, schedule) = sgd();
    let head = learner.head_learner(4)?.metrics([accuracy()]).opt(sgd);
    let mut head = head.checkpoints(s.checkpoints("kept_last_layer"));
    head.fit_schedule(10, &schedule)?;

    learner.unfreeze()?;
    learner.freeze_body_batch_norm(true);
    let trained = trained_parameters(&learner);
    learner.fit_one_cycle(task.epochs, slice(1e-5, 1e-3))?;
    let outcome = finish(s, "statistics kept", learner, trained, None, start)?;
    s.check("best val Acc, statistics kept", outcome.best)?;
    Ok(outcome)
}

/// ResNets: `layer3`, `layer4` and `fc`; others: the last third of the body's parts, and the head.
fn last_stages(learner: &VisionLearner) -> Vec<String> {
    let children = learner.params().children();
    let head = learner.head_name().to_string();
    if ["layer3", "layer4"].iter().all(|layer| children.iter().any(|child| child == layer)) {
        return vec!["layer3".into(), "layer4".into(), head];
    }
    let body: Vec<String> = learner.network().body().children().flat_map(<[String]>::to_vec).collect();
    let mut parts = body[body.len() - body.len().div_ceil(3)..].to_vec();
    parts.push(head);
    parts
}
