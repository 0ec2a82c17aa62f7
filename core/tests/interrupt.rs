//! Ctrl-C. The request to stop holds for the whole process and is never taken back, hence a test program of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use common::assert_same_bits;
use common::training::{learner, weights, written};
use std::path::Path;
use std::time::Duration;
use tallow::train::{Callback, Checkpoints, Fit, Learner, LrFindConfig, Monitor, SaveBest};
use tallow::{Error, Result, event};

/// Asks for a stop at one batch.
struct CtrlC;

impl Callback for CtrlC {
    fn after_backward(&mut self, fit: &mut Fit) -> Result<()> {
        if (fit.epoch, fit.batch) == (1, 2) {
            event::interrupt();
        }
        Ok(())
    }
}

fn start(file: &Path, callback: impl Callback + 'static) -> Learner {
    // No checkpoint is due in such a short time: those that are written are written because of the interruption.
    let checkpoints = Checkpoints { file: file.into(), every: Duration::from_secs(3600), resume: true };
    let learner = learner(1, 0).callback(SaveBest::new(Monitor::valid_loss())).callback(callback);
    learner.checkpoints(checkpoints).unwrap()
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
    let mut whole = start(&folder.path().join("whole.safetensors"), Nothing);
    story(&mut whole).unwrap();

    let file = folder.path().join("interrupted.safetensors");
    let mut first = start(&file, CtrlC);
    let error = story(&mut first).unwrap_err();
    assert!(matches!(error, Error::Interrupted(_)) && error.exit_code() == 130, "{error}");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    assert_eq!(first.recorder().losses.len(), 8, "the batch in hand is finished, and no other begun");

    // From here on every process is asked to stop at once, and gets one batch further.
    for batch in 9.. {
        let mut next = start(&file, Nothing);
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
    let error = whole.lr_find(&LrFindConfig::default()).unwrap_err();
    assert_eq!(error.exit_code(), 130);
    assert_same_bits("weights", &weights(whole.params()), &before);
}
