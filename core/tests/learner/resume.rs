//! Resuming: a killed run ends as if it had not been killed.

use crate::common::assert_same_bits;
use crate::{learner, weights, written};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tallow::train::{Callback, Checkpoints, EarlyStopping, Learner, Monitor, SaveBest, TrainState};
use tallow::{Error, Result};

/// Dies at a batch (counted over all epochs of this process), before it or after its epoch's validation.
struct Die {
    at: Option<usize>,
    after_validation: bool,
    seen: usize,
}

impl Die {
    fn if_due(&self) -> Result<()> {
        if self.at == Some(self.seen) { Err(Error::Value("killed".into())) } else { Ok(()) }
    }
}

impl Callback for Die {
    fn before_batch(&mut self, _: &mut TrainState) -> Result<()> {
        if !self.after_validation {
            self.if_due()?;
        }
        self.seen += 1;
        Ok(())
    }

    fn after_epoch(&mut self, _: &mut TrainState) -> Result<()> {
        if self.after_validation { self.if_due() } else { Ok(()) }
    }
}

/// Climbs instead of descending in some epochs, so that the best weights and the count of bad epochs matter.
struct Climb;

impl Callback for Climb {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if state.epoch >= 2 || (state.n_epochs == 2 && state.epoch == 1) {
            state.hypers.lr = vec![-0.1];
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Process {
    die_at: Option<usize>,
    after_validation: bool,
    every: Duration,
    resume: bool,
    workers: usize,
}

const ALIVE: Process =
    Process { die_at: None, after_validation: false, every: Duration::ZERO, resume: true, workers: 0 };

/// A learner whose own weights are spoilt if it is to resume: all must come from the checkpoint.
fn start(file: &Path, process: Process) -> Result<Learner> {
    let Process { die_at, after_validation, every, resume, workers } = process;
    let learner = learner(1, workers)
        .callback(SaveBest::new(Monitor::valid_loss()))
        .callback(EarlyStopping::new(Monitor::valid_loss(), 2))
        .callback(Climb)
        .callback(Die { at: die_at, after_validation, seen: 0 });
    if resume && file.exists() {
        for param in learner.params().all() {
            param.var().set(&param.var().ones_like()?)?;
        }
    }
    Ok(learner.checkpoints(Checkpoints { file: file.into(), every, resume }))
}

/// Two fits. The first stops early, after two epochs of climbing; both end on the weights of an earlier epoch. That
/// makes six epochs and 30 batches.
fn story(learner: &mut Learner) -> Result<()> {
    learner.fit_one_cycle(6, 0.05)?;
    learner.fit(2, 0.01)
}

struct Ending {
    history: Vec<f64>,
    weights: Vec<f64>,
    /// The last checkpoint: it holds the optimizer, the random streams and the callbacks besides.
    checkpoint: (Value, Vec<u8>),
}

/// A safetensors file as its header, without the times in our note, and its tensors' bytes.
fn read(file: &Path) -> (Value, Vec<u8>) {
    let bytes = std::fs::read(file).unwrap();
    let (length, rest) = bytes.split_at(8);
    let (header, tensors) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    // It is of the seconds too.
    header["__metadata__"]["sha256"] = Value::Null;
    let note = &mut header["__metadata__"]["tallow"];
    *note = serde_json::from_str(note.as_str().unwrap()).unwrap();
    for row in note["recorder"]["rows"].as_array_mut().unwrap() {
        row.as_object_mut().unwrap().remove("seconds");
    }
    (header, tensors.to_vec())
}

fn ending(file: &Path, learner: &Learner) -> Ending {
    Ending { history: written(learner.recorder()), weights: weights(learner.params()), checkpoint: read(file) }
}

fn uninterrupted() -> Ending {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.safetensors");
    let mut learner = start(&file, ALIVE).unwrap();
    story(&mut learner).unwrap();
    let losses = learner.recorder().valid_losses();
    assert_eq!(losses.len(), 6, "stops early: {losses:?}");
    assert!(losses[1] < losses[3] && losses[4] < losses[5], "the last epoch is not the best: {losses:?}");
    ending(&file, &learner)
}

#[track_caller]
fn assert_same_ending(what: &str, got: &Ending, want: &Ending) {
    assert_same_bits(&format!("history, {what}"), &got.history, &want.history);
    assert_same_bits(&format!("weights, {what}"), &got.weights, &want.weights);
    assert_eq!(got.checkpoint.0, want.checkpoint.0, "checkpoint's header, {what}");
    assert!(got.checkpoint.1 == want.checkpoint.1, "checkpoint's tensors, {what}");
}

/// Lets processes run one after the other until the story is told.
fn told_by(processes: &[Process]) -> Ending {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("some/folder/b.safetensors");
    for (i, process) in processes.iter().enumerate() {
        let mut learner = start(&file, *process).unwrap();
        let outcome = story(&mut learner);
        if i + 1 == processes.len() {
            outcome.unwrap();
            return ending(&file, &learner);
        }
        assert_eq!(outcome.unwrap_err().to_string(), "killed");
    }
    unreachable!()
}

#[test]
fn killed_before_any_batch_a_run_ends_as_if_it_had_not_been() {
    let want = uninterrupted();
    for batch in 0..30 {
        // 5, 10, 15, 25: at an epoch's boundary; 20: at the boundary of the two fits.
        let first = Process { die_at: Some(batch), ..ALIVE };
        assert_same_ending(&format!("killed before batch {batch}"), &told_by(&[first, ALIVE]), &want);
    }
}

#[test]
fn so_it_does_when_killed_after_a_validation_that_no_checkpoint_holds() {
    let want = uninterrupted();
    for batch in [5, 15, 20, 25, 30] {
        let first = Process { die_at: Some(batch), after_validation: true, ..ALIVE };
        assert_same_ending(&format!("killed after batch {batch}"), &told_by(&[first, ALIVE]), &want);
    }
}

#[test]
fn so_it_does_when_killed_often_with_other_workers_and_old_checkpoints() {
    let want = uninterrupted();
    let die = |batch: usize| Process { die_at: Some(batch), ..ALIVE };
    let worker = |workers: usize, process: Process| Process { workers, ..process };
    let thrice = [die(3), worker(2, die(6)), worker(3, die(8)), worker(1, ALIVE)];
    assert_same_ending("killed three times", &told_by(&thrice), &want);
    // Checkpoints at the ends of fits only: the second process repeats what the first did since.
    let seldom = |process: Process| Process { every: Duration::from_secs(3600), ..process };
    assert_same_ending("no checkpoint yet", &told_by(&[seldom(die(7)), seldom(ALIVE)]), &want);
    assert_same_ending("an old checkpoint", &told_by(&[seldom(die(22)), seldom(ALIVE)]), &want);
    // Who does not want to resume starts anew.
    let anew = Process { resume: false, ..ALIVE };
    assert_same_ending("not resumed", &told_by(&[die(7), anew]), &want);
}

#[test]
fn a_finished_run_returns_at_once_and_can_go_on() {
    let want = uninterrupted();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.safetensors");
    let mut first = start(&file, ALIVE).unwrap();
    story(&mut first).unwrap();
    // This one would die at its first batch.
    let mut second = start(&file, Process { die_at: Some(0), ..ALIVE }).unwrap();
    story(&mut second).unwrap();
    assert_same_ending("finished", &ending(&file, &second), &want);
    let mut third = start(&file, ALIVE).unwrap();
    story(&mut third).unwrap();
    third.fit(1, 0.02).unwrap();
    first.fit(1, 0.02).unwrap();
    assert_same_bits("a third fit", &written(third.recorder()), &written(first.recorder()));
    assert_same_bits("its weights", &weights(third.params()), &weights(first.params()));
}

#[test]
fn a_metric_that_is_no_number_survives() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.safetensors");
    let checkpoints = Checkpoints { file, every: Duration::ZERO, resume: true };
    let odd = |preds: &candle_core::Tensor, _: &candle_core::Tensor| {
        let n = preds.dims()[0];
        Ok(if n == 8 { f64::NAN } else { f64::NEG_INFINITY })
    };
    let make = || {
        learner(1, 0)
            .metrics([tallow::train::Metric::new("odd", odd).may_be_undefined()])
            .checkpoints(checkpoints.clone())
    };
    let mut first = make();
    first.fit(2, 0.01).unwrap();
    let mut second = make();
    second.fit(2, 0.01).unwrap();
    assert_same_bits("history", &written(second.recorder()), &written(first.recorder()));
    assert!(second.recorder().rows.iter().all(|row| row.metrics[0] == f64::NEG_INFINITY));
}
