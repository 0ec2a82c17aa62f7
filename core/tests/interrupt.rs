//! Interruption: a run that is asked to stop keeps a checkpoint, and the same process can train again.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use common::assert_same_bits;
use common::training::{learner, weights, written};
use std::path::Path;
use std::time::Duration;
use tallow::event::{Interrupter, Listener};
use tallow::train::{Callback, Checkpoints, Learner, LrFindConfig, Monitor, SaveBest, TrainState};
use tallow::{Error, Result};

/// Asks for a stop at one batch.
struct CtrlC(Interrupter);

impl Callback for CtrlC {
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        if (state.epoch, state.batch) == (1, 2) {
            self.0.interrupt();
        }
        Ok(())
    }
}

fn start(file: &Path, stop: &Interrupter, callback: impl Callback + 'static) -> Learner {
    // No checkpoint is due in such a short time: those that are written are written because of the interruption.
    let checkpoints = Checkpoints { file: file.into(), every: Duration::from_secs(3600), resume: true };
    let learner = learner(1, 0).callback(SaveBest::new(Monitor::valid_loss())).callback(callback);
    learner.listener(Listener::default().interrupter(stop)).checkpoints(checkpoints)
}

struct Nothing;

impl Callback for Nothing {}

fn story(learner: &mut Learner) -> Result<()> {
    learner.fit_one_cycle(3, 0.05)?;
    learner.fit(1, 0.01)
}

#[test]
fn an_interrupted_run_keeps_a_checkpoint_and_can_be_finished() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Interrupter::default();
    let mut whole = start(&folder.path().join("whole.safetensors"), &stop, Nothing);
    story(&mut whole).unwrap();

    let file = folder.path().join("interrupted.safetensors");
    let mut first = start(&file, &stop, CtrlC(stop.clone()));
    let error = story(&mut first).unwrap_err();
    assert!(matches!(error, Error::Interrupted(_)) && tallow::cli::exit_code(&error) == 130, "{error}");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    assert_eq!(first.recorder().losses.len(), 8, "the current batch is finished, and no other begun");

    // Every other process is asked to stop at once, and gets one batch further. The request was met each time: nothing
    // is left of it for the next one.
    for batch in 9.. {
        assert!(!stop.is_interrupted());
        stop.interrupt();
        let mut next = start(&file, &stop, Nothing);
        match story(&mut next) {
            Err(error) => assert!(matches!(error, Error::Interrupted(_)), "{error}"),
            Ok(()) => {
                assert_same_bits("history", &written(next.recorder()), &written(whole.recorder()));
                assert_same_bits("weights", &weights(next.params()), &weights(whole.params()));
                break;
            }
        }
        assert_eq!(next.recorder().losses.len(), batch);
    }

    // The search for a learning rate stops too, and leaves the weights alone.
    let before = weights(whole.params());
    stop.interrupt();
    let error = whole.lr_find(&LrFindConfig::default()).unwrap_err();
    assert_eq!(tallow::cli::exit_code(&error), 130);
    assert_same_bits("weights", &weights(whole.params()), &before);

    // The same learner goes on after an interruption, in the same process.
    let losses = whole.recorder().losses.len();
    stop.interrupt();
    assert!(matches!(whole.fit(1, 0.01), Err(Error::Interrupted(_))));
    whole.fit(1, 0.01).unwrap();
    assert!(whole.recorder().losses.len() > losses + 1);
    assert_eq!(tallow::train::LrFindConfig::default().num_it, whole.lr_find(&LrFindConfig::default()).unwrap().num_it);
}
