//! Keeping the weights of the best epoch.

use super::Monitor;
use crate::error::Result;
use crate::train::{Callback, CallbackState, TrainState};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Keeps the weights of the best epoch and restores them at the end of the fit. fast.ai's `SaveModelCallback`.
///
/// The weights are those that were validated: with [`super::WeightAverage`], in either order, the averages. The first
/// of equal epochs is the best, and an epoch with NaN is worse than any other. [`crate::train::Recorder::kept_row`]
/// returns the epoch.
pub struct SaveBest {
    monitor: Monitor,
    best: Option<Best>,
}

struct Best {
    score: f64,
    /// Its row in the recorder.
    row: usize,
    weights: BTreeMap<String, Tensor>,
}

impl SaveBest {
    /// Keeps the best epoch by this column.
    pub fn new(monitor: Monitor) -> SaveBest {
        SaveBest { monitor, best: None }
    }
}

impl Callback for SaveBest {
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if state.is_beginning() {
            self.best = None;
        }
        Ok(())
    }

    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        let score = self.monitor.score(state)?;
        if self.best.as_ref().is_none_or(|best| Monitor::beats(score, best.score)) {
            let row = state.recorder.rows.len().saturating_sub(1);
            self.best = Some(Best { score, row, weights: state.params.state_dict()? });
        }
        Ok(())
    }

    fn after_fit(&mut self, state: &mut TrainState) -> Result<()> {
        let Some(best) = &self.best else { return Ok(()) };
        state.recorder.kept = Some(best.row);
        state.params.load_state_dict(&best.weights)
    }

    fn describe(&self) -> Option<String> {
        Some(format!("SaveBest, {}", self.monitor.describe()))
    }

    fn state(&self) -> CallbackState {
        let Some(best) = &self.best else { return CallbackState::default() };
        let numbers = [("best".to_string(), best.score), ("row".to_string(), best.row as f64)].into();
        CallbackState { numbers, tensors: best.weights.clone() }
    }

    fn set_state(&mut self, state: CallbackState) {
        let number = |name: &str| state.numbers.get(name).copied();
        let found = number("best").zip(number("row"));
        self.best = found.map(|(score, row)| Best { score, row: row as usize, weights: state.tensors });
    }
}
