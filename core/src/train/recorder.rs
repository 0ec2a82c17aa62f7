//! Losses, learning rates and metrics of a training run.

use crate::optim::Hypers;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The losses and metrics of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Words")]
pub struct EpochRow {
    /// The number of the learner's fit, from 0.
    pub fit: usize,
    /// The number of the epoch in its fit, from 0.
    pub epoch: usize,
    /// The smoothed training loss at the end of the epoch.
    pub train_loss: f64,
    /// The mean loss over the validation set.
    pub valid_loss: f64,
    /// The metrics, in the learner's order.
    pub metrics: Vec<f64>,
    /// The metrics of the training batches, if requested ([`super::Learner::train_metrics`]).
    pub train_metrics: Vec<f64>,
    /// The duration of the epoch, in seconds.
    pub seconds: f64,
}

impl EpochRow {
    /// The losses and metrics in the order of [`Recorder::columns`], without epoch and time.
    pub fn numbers(&self) -> Vec<f64> {
        [&[self.train_loss], &self.train_metrics[..], &[self.valid_loss], &self.metrics[..]].concat()
    }
}

/// A row as a checkpoint keeps it: JSON has numbers for neither NaN nor infinity, but a validation loss can be either.
#[derive(Serialize, Deserialize)]
struct Words {
    fit: usize,
    epoch: usize,
    numbers: Vec<String>,
    #[serde(default)]
    train_metrics: Vec<String>,
    seconds: f64,
}

impl From<EpochRow> for Words {
    fn from(row: EpochRow) -> Words {
        let numbers = [row.train_loss, row.valid_loss].into_iter().chain(row.metrics);
        let numbers = numbers.map(|v| format!("{v:?}")).collect();
        let train_metrics = row.train_metrics.iter().map(|v| format!("{v:?}")).collect();
        Words { fit: row.fit, epoch: row.epoch, numbers, train_metrics, seconds: row.seconds }
    }
}

impl TryFrom<Words> for EpochRow {
    type Error = String;

    fn try_from(words: Words) -> Result<EpochRow, String> {
        let Words { fit, epoch, seconds, .. } = words;
        let parse = |words: &[String]| -> Result<Vec<f64>, String> {
            words.iter().map(|v| v.parse().map_err(|e: std::num::ParseFloatError| e.to_string())).collect()
        };
        let train_metrics = parse(&words.train_metrics)?;
        match parse(&words.numbers)?.as_slice() {
            &[train_loss, valid_loss, ref metrics @ ..] => {
                Ok(EpochRow { fit, epoch, train_loss, valid_loss, metrics: metrics.to_vec(), train_metrics, seconds })
            }
            _ => Err("a row without losses".into()),
        }
    }
}

/// Numbers as words, for the same reason.
pub(super) mod words {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(numbers: &[f64], to: S) -> Result<S::Ok, S::Error> {
        numbers.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>().serialize(to)
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<f64>, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        words.iter().map(|word| word.parse().map_err(D::Error::custom)).collect()
    }
}

/// The history of a learner, by epoch and by batch. fast.ai's `Recorder`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorder {
    /// Names of the metrics.
    pub metric_names: Vec<String>,
    /// One row per epoch, over all fits.
    pub rows: Vec<EpochRow>,
    /// The number of training batches up to each row, over all fits.
    pub iters: Vec<usize>,
    /// The loss at each batch.
    pub losses: Vec<f64>,
    /// The smoothed loss at each batch: an exponential average with beta 0.98, corrected for its start.
    pub smooth_losses: Vec<f64>,
    /// The learning rate (of the last group) at each batch.
    pub lrs: Vec<f64>,
    /// The momentum at each batch, where a schedule sets it.
    pub moms: Vec<f64>,
    smooth: Smooth,
    /// The row of the epoch whose weights were put back at the end of the last fit.
    #[serde(default)]
    pub(super) kept: Option<usize>,
    /// Whether metrics of the training batches are wanted.
    #[serde(default)]
    pub(super) with_train_metrics: bool,
    /// Of the epoch under way: the sum of each metric over its items so far, and last the number of these.
    #[serde(with = "words", default)]
    train_sums: Vec<f64>,
}

/// An exponential average, corrected for its start: fast.ai's `AvgSmoothLoss`, beta 0.98.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Smooth {
    average: f64,
    count: u32,
}

impl Smooth {
    const BETA: f64 = 0.98;

    fn push(&mut self, loss: f64) {
        self.average = loss + Self::BETA * (self.average - loss);
        self.count += 1;
    }

    fn value(&self) -> f64 {
        self.average / (1.0 - Self::BETA.powf(f64::from(self.count)))
    }
}

impl Recorder {
    /// Whether its lists are of the lengths that go together.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        let n = self.losses.len();
        for (name, length) in [("smooth_losses", self.smooth_losses.len()), ("lrs", self.lrs.len())] {
            if length != n {
                return Err(format!("has {length} {name} in its history for {n} losses"));
            }
        }
        if self.iters.len() != self.rows.len() {
            return Err(format!(
                "has {} rows in its history, and {} ends of epochs",
                self.rows.len(),
                self.iters.len()
            ));
        }
        if !self.iters.is_sorted() || self.iters.last().is_some_and(|&end| end > n) {
            return Err(format!("has epochs in its history that end after {:?} of {n} batches", self.iters));
        }
        let metrics = self.metric_names.len();
        if let Some(row) = self.rows.iter().position(|row| row.metrics.len() != metrics) {
            return Err(format!(
                "has {} metrics in row {row} of its history, not {metrics}",
                self.rows[row].metrics.len()
            ));
        }
        if self.smooth.count as usize > n || self.rows.iter().any(|row| row.epoch > n) {
            return Err(format!(
                "counts {} losses and more epochs than batches in its history of {n}",
                self.smooth.count
            ));
        }
        // Sums and products alone, which come to the same bits everywhere.
        let mut smooth = Smooth::default();
        self.losses[n - self.smooth.count as usize..].iter().for_each(|&loss| smooth.push(loss));
        if smooth != self.smooth {
            let (average, ours) = (self.smooth.average, smooth.average);
            return Err(format!("has {average} for an average of its losses, which is {ours}"));
        }
        Ok(())
    }

    /// How many batches the fit under way has had.
    pub(super) fn n_batches_of_fit(&self) -> usize {
        self.smooth.count as usize
    }

    /// The headings of fast.ai's table: epoch, losses, metrics and time.
    pub fn columns(&self) -> Vec<String> {
        let of_training =
            self.metric_names.iter().filter(|_| self.with_train_metrics).map(|name| format!("train_{name}"));
        let heads = ["epoch", "train_loss"].into_iter().map(str::to_string).chain(of_training);
        let heads = heads.chain(["valid_loss".to_string()]);
        heads.chain(self.metric_names.iter().cloned()).chain(["time".to_string()]).collect()
    }

    /// The cells of a row, formatted as in fast.ai's table.
    pub fn cells(row: &EpochRow) -> Vec<String> {
        let numbers = row.numbers().into_iter().map(|v| format!("{v:.6}"));
        let seconds = row.seconds.round() as u64;
        let time = format!("{:02}:{:02}", seconds / 60, seconds % 60);
        std::iter::once(row.epoch.to_string()).chain(numbers).chain([time]).collect()
    }

    /// The smoothed training loss.
    pub fn smooth_loss(&self) -> f64 {
        self.smooth.value()
    }

    /// Metric number `index` over the epochs. fast.ai's `L(learn.recorder.values).itemgot(2 + index)`.
    pub fn metric(&self, index: usize) -> Vec<f64> {
        self.rows.iter().filter_map(|row| row.metrics.get(index).copied()).collect()
    }

    /// The row of the epoch whose weights the network has after a fit: the last one, or the best one with
    /// [`super::SaveBest`].
    pub fn kept_row(&self) -> Option<&EpochRow> {
        self.kept.map_or(self.rows.last(), |row| self.rows.get(row))
    }

    /// The validation loss and the metrics of [`Recorder::kept_row`] by name, for an exported model.
    pub fn kept_metrics(&self) -> BTreeMap<String, f64> {
        let Some(row) = self.kept_row() else { return BTreeMap::new() };
        let metrics = self.metric_names.iter().cloned().zip(row.metrics.iter().copied());
        [("valid_loss".to_string(), row.valid_loss)].into_iter().chain(metrics).collect()
    }

    /// Training losses over the epochs.
    pub fn train_losses(&self) -> Vec<f64> {
        self.rows.iter().map(|row| row.train_loss).collect()
    }

    /// Validation losses over the epochs.
    pub fn valid_losses(&self) -> Vec<f64> {
        self.rows.iter().map(|row| row.valid_loss).collect()
    }

    pub(super) fn begin_fit(&mut self) {
        (self.smooth, self.kept) = (Smooth::default(), None);
    }

    /// Adds a training batch of `size` items to the epoch's metrics.
    pub(super) fn push_train_metrics(&mut self, values: &[f64], size: f64) {
        self.train_sums.resize(values.len() + 1, 0.0);
        for (sum, value) in self.train_sums.iter_mut().zip(values.iter().chain([&1.0])) {
            *sum += size * value;
        }
    }

    /// The epoch's metrics of the training batches; the next epoch begins anew.
    pub(super) fn take_train_metrics(&mut self) -> Vec<f64> {
        let mut sums = std::mem::take(&mut self.train_sums);
        let items = sums.pop().unwrap_or(1.0);
        sums.iter().map(|sum| sum / items).collect()
    }

    /// Adds a training batch's loss, learning rate and momentum.
    pub(super) fn push_batch(&mut self, loss: f64, hypers: &Hypers) {
        self.push_loss(loss);
        self.lrs.push(hypers.lr.last().copied().unwrap_or_default());
        self.moms.extend(hypers.mom);
    }

    fn push_loss(&mut self, loss: f64) {
        self.smooth.push(loss);
        self.losses.push(loss);
        self.smooth_losses.push(self.smooth.value());
    }

    /// Adds an epoch.
    pub(super) fn push_row(&mut self, row: EpochRow) {
        self.rows.push(row);
        self.iters.push(self.losses.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_forgets_its_start() {
        // fastai: s = AvgSmoothLoss(); accumulate 2., 4.: s.value == 3.0101...
        let mut recorder = Recorder::default();
        recorder.push_loss(2.0);
        assert!((recorder.smooth_loss() - 2.0).abs() < 1e-12);
        recorder.push_loss(4.0);
        let expected = (0.98 * (0.02 * 2.0) + 0.02 * 4.0) / (1.0 - 0.98 * 0.98);
        assert!((recorder.smooth_loss() - expected).abs() < 1e-12);
    }

    #[test]
    fn the_table_is_fast_ais() {
        let recorder = Recorder { metric_names: vec!["accuracy".into()], ..Recorder::default() };
        assert_eq!(recorder.columns(), ["epoch", "train_loss", "valid_loss", "accuracy", "time"]);
        let row = EpochRow {
            fit: 0,
            epoch: 3,
            train_loss: 0.5,
            valid_loss: 0.25,
            metrics: vec![0.875],
            train_metrics: vec![],
            seconds: 61.4,
        };
        assert_eq!(Recorder::cells(&row), ["3", "0.500000", "0.250000", "0.875000", "01:01"]);
        let recorder = Recorder { with_train_metrics: true, ..recorder };
        assert_eq!(recorder.columns()[1..4], ["train_loss", "train_accuracy", "valid_loss"]);
        assert_eq!(Recorder::cells(&EpochRow { train_metrics: vec![0.75], ..row })[2], "0.750000");
    }

    #[test]
    fn metrics_of_training_batches_are_means_over_items() {
        let mut recorder = Recorder::default();
        recorder.push_train_metrics(&[1.0, 0.5], 3.0);
        recorder.push_train_metrics(&[0.0, 0.5], 1.0);
        // What a checkpoint in mid-epoch keeps.
        let kept = serde_json::to_string(&recorder).unwrap();
        let mut resumed: Recorder = serde_json::from_str(&kept).unwrap();
        assert_eq!(resumed.take_train_metrics(), [0.75, 0.5]);
        assert!(resumed.take_train_metrics().is_empty());
    }
}
