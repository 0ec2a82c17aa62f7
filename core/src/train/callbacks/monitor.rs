//! The column that a callback monitors.

use crate::error::{Error, Result};
use crate::train::{EpochRow, TrainState};

/// A column of the recorder's table, and whether higher or lower values are better.
#[derive(Debug, Clone)]
pub struct Monitor {
    column: String,
    higher_is_better: bool,
}

impl Monitor {
    /// The validation loss, where lower is better.
    pub fn valid_loss() -> Monitor {
        Monitor::lowest("valid_loss")
    }

    /// A metric, where higher is better.
    pub fn highest(metric: &str) -> Monitor {
        Monitor { column: metric.into(), higher_is_better: true }
    }

    /// A metric or a loss, where lower is better.
    pub fn lowest(metric: &str) -> Monitor {
        Monitor { column: metric.into(), higher_is_better: false }
    }

    pub(super) fn higher_is_better(&self) -> bool {
        self.higher_is_better
    }

    /// Whether a score beats the best one so far: a number always beats NaN, and NaN never beats anything.
    pub(super) fn beats(score: f64, best: f64) -> bool {
        score > best || (best.is_nan() && !score.is_nan())
    }

    /// What is watched, in words.
    pub(super) fn describe(&self) -> String {
        format!("{} {}", if self.higher_is_better { "highest" } else { "lowest" }, self.column)
    }

    /// The latest value, so signed that higher is better.
    pub(super) fn score(&self, state: &TrainState) -> Result<f64> {
        let (recorder, row) = (&state.recorder, state.recorder.rows.last());
        let value = |row: &EpochRow| match self.column.as_str() {
            "train_loss" => Some(row.train_loss),
            "valid_loss" => Some(row.valid_loss),
            metric => recorder.metric_names.iter().position(|n| n == metric).and_then(|i| row.metrics.get(i).copied()),
        };
        match row.and_then(value) {
            Some(value) => Ok(if self.higher_is_better { value } else { -value }),
            None => {
                let message = format!(
                    "cannot watch `{}`: the table has train_loss, valid_loss and the metrics {:?}",
                    self.column, recorder.metric_names
                );
                Err(Error::config("monitor", message))
            }
        }
    }
}
