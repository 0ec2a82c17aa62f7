//! Keeping the best epoch.

use super::Monitor;
use crate::error::Result;
use crate::train::{Callback, CallbackState, TrainState};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Keeps the weights of the best epoch, and puts them back at the end. fast.ai's `SaveModelCallback`.
pub struct SaveBest {
    monitor: Monitor,
    best: f64,
    weights: BTreeMap<String, Tensor>,
}

impl SaveBest {
    /// Best by this column.
    pub fn new(monitor: Monitor) -> SaveBest {
        SaveBest { monitor, best: f64::NEG_INFINITY, weights: BTreeMap::new() }
    }
}

impl Callback for SaveBest {
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if state.is_beginning() {
            (self.best, self.weights) = (f64::NEG_INFINITY, BTreeMap::new());
        }
        Ok(())
    }

    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        let score = self.monitor.score(state)?;
        if score > self.best || self.weights.is_empty() {
            self.best = score;
            self.weights = state.params.state_dict()?;
        }
        Ok(())
    }

    fn after_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if self.weights.is_empty() { Ok(()) } else { state.params.load_state_dict(&self.weights) }
    }

    fn state(&self) -> CallbackState {
        // JSON has no infinity; without weights there is no best yet.
        let numbers = self.best.is_finite().then(|| ("best".to_string(), self.best)).into_iter().collect();
        CallbackState { numbers, tensors: self.weights.clone() }
    }

    fn set_state(&mut self, state: CallbackState) {
        self.best = state.numbers.get("best").copied().unwrap_or(f64::NEG_INFINITY);
        self.weights = state.tensors;
    }
}
