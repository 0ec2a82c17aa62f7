//! Early stopping.

use super::Monitor;
use crate::error::Result;
use crate::train::{Callback, CallbackState, TrainState};

/// Ends training after several epochs in a row without improvement. fast.ai's `EarlyStoppingCallback`.
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    best: f64,
    waited: usize,
}

impl EarlyStopping {
    /// Ends training after `patience` epochs in a row that are not better than the best before them.
    pub fn new(monitor: Monitor, patience: usize) -> EarlyStopping {
        EarlyStopping { monitor, patience, best: f64::NEG_INFINITY, waited: 0 }
    }
}

impl Callback for EarlyStopping {
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if state.is_beginning() {
            (self.best, self.waited) = (f64::NEG_INFINITY, 0);
        }
        Ok(())
    }

    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        let score = self.monitor.score(state)?;
        if score > self.best {
            (self.best, self.waited) = (score, 0);
        } else {
            self.waited += 1;
            state.stop |= self.waited >= self.patience;
        }
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some(format!("EarlyStopping, {}, patience {}", self.monitor.describe(), self.patience))
    }

    fn state(&self) -> CallbackState {
        let numbers = [("best".to_string(), self.best), ("waited".to_string(), self.waited as f64)].into();
        CallbackState { numbers, ..CallbackState::default() }
    }

    fn set_state(&mut self, state: CallbackState) {
        self.best = state.numbers.get("best").copied().unwrap_or(f64::NEG_INFINITY);
        self.waited = state.numbers.get("waited").copied().unwrap_or_default() as usize;
    }
}

/// Ends training without an error at the first loss that is not finite. fast.ai's `TerminateOnNaNCallback`. Without
/// this callback such a loss is an error.
///
/// If it is the loss of a training batch, the batch has no step and its epoch no row; if it is the validation loss, the
/// row is kept. The network keeps its weights, or those of the best epoch with [`super::SaveBest`].
pub struct TerminateOnNaN;

impl Callback for TerminateOnNaN {
    fn after_loss(&mut self, state: &mut TrainState) -> Result<()> {
        state.cancel |= !state.loss.is_finite();
        Ok(())
    }

    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        state.cancel |= state.recorder.rows.last().is_some_and(|row| !row.valid_loss.is_finite());
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some("TerminateOnNaN".into())
    }
}
