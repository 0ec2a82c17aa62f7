//! Lowering the learning rates on a plateau.

use super::Monitor;
use crate::error::Result;
use crate::train::{Callback, CallbackState, TrainState};
use std::collections::BTreeMap;

/// The settings of [`ReduceLrOnPlateau`], with PyTorch's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct PlateauConfig {
    /// The factor of a reduction; 0.1 by default.
    pub factor: f64,
    /// The number of epochs in a row without improvement that are allowed; 10 by default.
    pub patience: usize,
    /// The smallest improvement, as a fraction of the best value; 1e-4 by default.
    pub threshold: f64,
    /// The number of epochs after a reduction that are not counted; 0 by default.
    pub cooldown: usize,
    /// The smallest learning rate; 0 by default.
    pub min_lr: f64,
}

impl Default for PlateauConfig {
    fn default() -> PlateauConfig {
        PlateauConfig { factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, min_lr: 0.0 }
    }
}

/// Lowers the learning rates after too many epochs in a row without improvement. PyTorch's `ReduceLROnPlateau`. The fit
/// should have a constant schedule.
pub struct ReduceLrOnPlateau {
    monitor: Monitor,
    config: PlateauConfig,
    best: Option<f64>,
    bad_epochs: usize,
    resting: usize,
    reductions: usize,
}

impl ReduceLrOnPlateau {
    /// Monitors this column.
    pub fn new(monitor: Monitor, config: PlateauConfig) -> ReduceLrOnPlateau {
        ReduceLrOnPlateau { monitor, config, best: None, bad_epochs: 0, resting: 0, reductions: 0 }
    }

    /// Whether a value, signed so that higher is better, beats the best by more than the threshold.
    fn is_better(&self, score: f64) -> bool {
        let Some(best) = self.best else { return score > f64::NEG_INFINITY };
        // PyTorch's "rel": best·(1 + threshold) to be beaten upwards, best·(1 - threshold) downwards.
        let factor =
            if self.monitor.higher_is_better() { 1.0 + self.config.threshold } else { 1.0 - self.config.threshold };
        score > best * factor
    }

    fn reduced(&self, mut lr: f64) -> f64 {
        for _ in 0..self.reductions {
            let lower = (lr * self.config.factor).max(self.config.min_lr);
            // PyTorch ignores reductions by less than its `eps`.
            if lr - lower > 1e-8 {
                lr = lower;
            }
        }
        lr
    }
}

impl Callback for ReduceLrOnPlateau {
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if state.is_beginning() {
            (self.best, self.bad_epochs, self.resting, self.reductions) = (None, 0, 0, 0);
        }
        Ok(())
    }

    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        state.hypers.lr.iter_mut().for_each(|lr| *lr = self.reduced(*lr));
        Ok(())
    }

    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        let score = self.monitor.score(state)?;
        if self.is_better(score) {
            (self.best, self.bad_epochs) = (Some(score), 0);
        } else {
            self.bad_epochs += 1;
        }
        if self.resting > 0 {
            (self.resting, self.bad_epochs) = (self.resting - 1, 0);
        }
        if self.bad_epochs > self.config.patience {
            (self.resting, self.bad_epochs) = (self.config.cooldown, 0);
            self.reductions += 1;
        }
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some(format!("ReduceLrOnPlateau, {}, {:?}", self.monitor.describe(), self.config))
    }

    fn state(&self) -> CallbackState {
        let counts = [("bad_epochs", self.bad_epochs), ("resting", self.resting), ("reductions", self.reductions)];
        let numbers = counts.into_iter().map(|(name, n)| (name.to_string(), n as f64));
        let best = self.best.map(|best| ("best".to_string(), best));
        CallbackState { numbers: numbers.chain(best).collect(), tensors: BTreeMap::new() }
    }

    fn set_state(&mut self, state: CallbackState) {
        let count = |name: &str| state.numbers.get(name).copied().unwrap_or_default() as usize;
        self.best = state.numbers.get("best").copied();
        (self.bad_epochs, self.resting, self.reductions) = (count("bad_epochs"), count("resting"), count("reductions"));
    }
}
