//! A run that is killed and resumed ends as one that was not.

use crate::common::training::{weights, written};
use crate::learner::{config, loaders};
use std::path::Path;
use std::time::Duration;
use tallow::tabular_learner::{PeriodicConfig, TabularConfig, tabular_learner};
use tallow::train::{Callback, Checkpoints, TrainState};
use tallow::{Error, Result};

/// Dies before a batch of the second epoch.
struct Die(bool);

impl Callback for Die {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let due = self.0 && (state.epoch, state.batch) == (1, 3);
        if due { Err(Error::Value("killed".into())) } else { Ok(()) }
    }
}

fn story(run: &Path, config: TabularConfig, resume: bool, dies: bool) -> Result<(Vec<f64>, Vec<f64>)> {
    let checkpoints = Checkpoints { file: run.join("network.safetensors"), every: Duration::ZERO, resume };
    let config = config.dropouts([0.2, 0.1]).embedding_dropout(0.1).embedded_numbers(PeriodicConfig::default());
    let mut learner = tabular_learner(&loaders(), config.callback(Die(dies)).checkpoints(checkpoints))?;
    learner.fit_one_cycle(3, 1e-2)?;
    Ok((weights(learner.params()), written(learner.recorder())))
}

#[test]
fn a_killed_run_ends_bit_for_bit_as_an_undisturbed_one() {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let undisturbed = story(whole.path(), config(), false, false).unwrap();
    assert_eq!(story(killed.path(), config(), false, true).unwrap_err().to_string(), "killed");
    // Another network is another run.
    let error = story(killed.path(), config().layers([24, 13]), true, false).unwrap_err().to_string();
    assert!(error.contains("the network was") && error.contains("24,13"), "{error}");
    assert!(story(killed.path(), config(), true, false).unwrap() == undisturbed);
}
