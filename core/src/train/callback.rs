//! Code that takes part in training without being part of the loop.

use super::fit::Fit;
use super::recorder::EpochRow;
use crate::error::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Hooks into the training loop. All do nothing unless implemented.
#[allow(unused_variables)]
pub trait Callback: Send {
    /// Before the first epoch; also when a run resumes.
    ///
    /// # Errors
    /// An error ends the fit; so for all hooks.
    fn before_fit(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// Before a batch: `fit.xs`, `fit.ys` and `fit.hypers` may be changed.
    ///
    /// # Errors
    /// As above.
    fn before_batch(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After the backward pass and before the step: `fit.grads` is there.
    ///
    /// # Errors
    /// As above.
    fn after_backward(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After the step; `fit.recorder` knows the loss.
    ///
    /// # Errors
    /// As above.
    fn after_batch(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After validation; `fit.recorder.rows` has the epoch's row.
    ///
    /// # Errors
    /// As above.
    fn after_epoch(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After the last epoch.
    ///
    /// # Errors
    /// As above.
    fn after_fit(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// What a checkpoint must keep for it.
    fn state(&self) -> CallbackState {
        CallbackState::default()
    }

    /// Goes on from a state that [`Callback::state`] gave.
    fn set_state(&mut self, state: CallbackState) {}
}

/// The memory of a callback.
#[derive(Debug, Clone, Default)]
pub struct CallbackState {
    /// Numbers by name.
    pub numbers: BTreeMap<String, f64>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
}

/// A column of the recorder's table to watch.
#[derive(Debug, Clone)]
pub struct Monitor {
    column: String,
    higher_is_better: bool,
}

impl Monitor {
    /// The validation loss: lower is better.
    pub fn valid_loss() -> Monitor {
        Monitor::lowest("valid_loss")
    }

    /// A metric of which higher values are better.
    pub fn highest(metric: &str) -> Monitor {
        Monitor { column: metric.into(), higher_is_better: true }
    }

    /// A metric, or a loss, of which lower values are better.
    pub fn lowest(metric: &str) -> Monitor {
        Monitor { column: metric.into(), higher_is_better: false }
    }

    /// The latest value, so signed that higher is better.
    fn score(&self, fit: &Fit) -> Result<f64> {
        let (recorder, row) = (&fit.recorder, fit.recorder.rows.last());
        let value = |row: &EpochRow| match self.column.as_str() {
            "train_loss" => Some(row.train_loss),
            "valid_loss" => Some(row.valid_loss),
            metric => recorder.metric_names.iter().position(|n| n == metric).and_then(|i| row.metrics.get(i).copied()),
        };
        match row.and_then(value) {
            Some(value) => Ok(if self.higher_is_better { value } else { -value }),
            None => Err(Error::Value(format!(
                "cannot watch `{}`: the table has train_loss, valid_loss and the metrics {:?}",
                self.column, recorder.metric_names
            ))),
        }
    }
}

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
    fn before_fit(&mut self, fit: &mut Fit) -> Result<()> {
        if fit.epoch == 0 && fit.batch == 0 {
            (self.best, self.weights) = (f64::NEG_INFINITY, BTreeMap::new());
        }
        Ok(())
    }

    fn after_epoch(&mut self, fit: &mut Fit) -> Result<()> {
        let score = self.monitor.score(fit)?;
        if score > self.best || self.weights.is_empty() {
            self.best = score;
            self.weights = fit.params.snapshot()?;
        }
        Ok(())
    }

    fn after_fit(&mut self, fit: &mut Fit) -> Result<()> {
        if self.weights.is_empty() { Ok(()) } else { fit.params.restore(&self.weights) }
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

/// Ends training after some epochs without improvement. fast.ai's `EarlyStoppingCallback`.
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    best: f64,
    waited: usize,
}

impl EarlyStopping {
    /// Ends after `patience` epochs in a row that were no better than the best before them.
    pub fn new(monitor: Monitor, patience: usize) -> EarlyStopping {
        EarlyStopping { monitor, patience, best: f64::NEG_INFINITY, waited: 0 }
    }
}

impl Callback for EarlyStopping {
    fn before_fit(&mut self, fit: &mut Fit) -> Result<()> {
        if fit.epoch == 0 && fit.batch == 0 {
            (self.best, self.waited) = (f64::NEG_INFINITY, 0);
        }
        Ok(())
    }

    fn after_epoch(&mut self, fit: &mut Fit) -> Result<()> {
        let score = self.monitor.score(fit)?;
        if score > self.best {
            (self.best, self.waited) = (score, 0);
        } else {
            self.waited += 1;
            fit.stop |= self.waited >= self.patience;
        }
        Ok(())
    }

    fn state(&self) -> CallbackState {
        let best = self.best.is_finite().then(|| ("best".to_string(), self.best));
        let numbers = best.into_iter().chain([("waited".to_string(), self.waited as f64)]).collect();
        CallbackState { numbers, ..CallbackState::default() }
    }

    fn set_state(&mut self, state: CallbackState) {
        self.best = state.numbers.get("best").copied().unwrap_or(f64::NEG_INFINITY);
        self.waited = state.numbers.get("waited").copied().unwrap_or_default() as usize;
    }
}
