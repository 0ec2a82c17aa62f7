//! A run that is killed and resumed ends as one that was not.

use crate::common::training::{weights, written};
use crate::{block, config};
use std::path::Path;
use std::time::Duration;
use tallow::text_learner::{TextConfig, language_model_learner, text_classifier_learner};
use tallow::train::{Callback, Checkpoints, TrainState};
use tallow::{Error, Result};

/// Dies before a batch of the second epoch.
pub(crate) struct Die(pub(crate) bool);

impl Callback for Die {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let due = self.0 && (state.epoch, state.batch) == (1, 3);
        if due { Err(Error::Value("killed".into())) } else { Ok(()) }
    }
}

type Story = fn(TextConfig) -> Result<(Vec<f64>, Vec<f64>)>;

fn language_model(config: TextConfig) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut learner = language_model_learner(&block(200).language_model(8)?, config)?;
    learner.fit_one_cycle(3, 1e-2)?;
    Ok((weights(learner.params()), written(learner.recorder())))
}

fn classifier(config: TextConfig) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut learner = text_classifier_learner(&block(200).dataloaders(16)?, config)?;
    learner.fit_one_cycle(3, 1e-2)?;
    Ok((weights(learner.params()), written(learner.recorder())))
}

fn run(story: Story, folder: &Path, config: TextConfig, resume: bool, dies: bool) -> Result<(Vec<f64>, Vec<f64>)> {
    let checkpoints = Checkpoints { file: folder.join("network.safetensors"), every: Duration::ZERO, resume };
    story(config.callback(Die(dies)).checkpoints(checkpoints))
}

#[test]
fn a_killed_run_ends_bit_for_bit_as_an_undisturbed_one() {
    for story in [language_model as Story, classifier] {
        let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let undisturbed = run(story, whole.path(), config(), false, false).unwrap();
        assert_eq!(run(story, killed.path(), config(), false, true).unwrap_err().to_string(), "killed");
        let error = run(story, killed.path(), config().drop_mult(0.3), true, false).unwrap_err().to_string();
        assert!(error.contains("the network was"), "{error}");
        assert!(run(story, killed.path(), config(), true, false).unwrap() == undisturbed);
    }
}
