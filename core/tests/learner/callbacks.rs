//! Callbacks that come with the library.

use crate::common::{assert_close, assert_same_bits, params, values};
use crate::{dataset, learner, weights, written};
use std::sync::{Arc, Mutex};
use tallow::Result;
use tallow::data::{DataLoader, DataLoaders};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Params, Sequential};
use tallow::optim::Sgd;
use tallow::train::{
    Callback, CsvLogger, GradientAccumulation, GradientClip, Learner, Monitor, SaveBest, TerminateOnNaN, TrainState,
    WeightAverage,
};

/// A linear classifier, plain descent, batches in order: what one batch does can be computed from its items.
fn linear(batch_size: usize) -> (Learner, Params) {
    let params = params(5);
    let network = Sequential::new(&params).flatten().linear(36, 3).unwrap();
    let loader = || DataLoader::new(dataset(), batch_size).unwrap();
    let dls = DataLoaders { train: loader(), valid: loader() };
    (Learner::new(dls, network, &params, cross_entropy).opt(Sgd::new()), params)
}

/// Writes down whether each batch ended in a step, the norm of its gradients, and the weights after it.
#[derive(Clone, Default)]
struct Spy {
    stepped: Arc<Mutex<Vec<bool>>>,
    norms: Arc<Mutex<Vec<f64>>>,
    weights: Arc<Mutex<Vec<Vec<f64>>>>,
}

impl Callback for Spy {
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        if let Some(grads) = &state.grads {
            let of = |p: &tallow::nn::Param| grads.get(p.var()).map_or(0.0, |g| values(g).iter().map(|v| v * v).sum());
            let sum: f64 = state.params.trainable().iter().map(of).sum();
            self.norms.lock().unwrap().push(sum.sqrt());
        }
        Ok(())
    }

    fn after_batch(&mut self, state: &mut TrainState) -> Result<()> {
        self.stepped.lock().unwrap().push(state.stepped);
        self.weights.lock().unwrap().push(weights(&state.params));
        Ok(())
    }
}

#[test]
fn accumulated_gradients_are_those_of_a_large_batch() {
    let (mut large, want) = linear(32);
    large.fit(2, 0.1).unwrap(); // 32 items, then 5
    let spy = Spy::default();
    let (small, got) = linear(8);
    let mut small = small.callback(GradientAccumulation::new(32)).callback(spy.clone());
    small.fit(1, 0.1).unwrap(); // 32 items, and 5 that are left
    assert_eq!(*spy.stepped.lock().unwrap(), [false, false, false, true, false]);
    let (mut one_step, after_one) = linear(32);
    one_step.set_dls(DataLoaders { train: one_step.dls().train.clone().drop_last(), ..one_step.dls().clone() });
    one_step.fit(1, 0.1).unwrap();
    assert_close("one step", &weights(&got), &weights(&after_one), 1e-6);
    assert_ne!(weights(&got), weights(&want));
}

#[test]
fn what_is_over_counts_and_carries_over_as_in_fastai() {
    // With 8 a batch and 12 wanted, each step has 16 items; fast.ai divides by the 12, so it is 16/12 of their mean.
    // Items go on counting over the end of an epoch: batches of 8, 8, 8, 8, 5, and again.
    let spy = Spy::default();
    let (learner, got) = linear(8);
    let mut learner = learner.callback(GradientAccumulation::new(12)).callback(spy.clone());
    learner.fit(2, 0.1).unwrap();
    let steps = [false, true, false, true, false, true, false, true, false, true];
    assert_eq!(*spy.stepped.lock().unwrap(), steps);
    let (mut large, want) = linear(16);
    large.set_dls(DataLoaders { train: large.dls().train.clone().drop_last(), ..large.dls().clone() });
    large.fit(1, 0.1 * 16.0 / 12.0).unwrap();
    assert_close("two steps", &spy.weights.lock().unwrap()[3], &weights(&want), 1e-6);
    assert_ne!(weights(&got), weights(&want));
}

#[test]
fn gradients_are_clipped_before_the_step() {
    let (free, clipped) = (Spy::default(), Spy::default());
    linear(8).0.callback(free.clone()).fit(1, 0.0).unwrap();
    linear(8).0.callback(GradientClip { max_norm: 0.4 }).callback(clipped.clone()).fit(1, 0.0).unwrap();
    let (free, clipped) = (free.norms.lock().unwrap().clone(), clipped.norms.lock().unwrap().clone());
    assert!(free.iter().any(|&norm| norm > 0.5) && free.len() == 5, "{free:?}");
    let want: Vec<f64> = free.iter().map(|norm| norm.min(0.4)).collect();
    assert_close("norms", &clipped, &want, 1e-5);
    // After accumulation, there is one norm for each step.
    let spy = Spy::default();
    let (learner, _) = linear(8);
    let mut both = learner.callback(GradientAccumulation::new(16)).callback(GradientClip { max_norm: 0.1 });
    both = both.callback(spy.clone());
    both.fit(1, 0.0).unwrap();
    assert_close("norms of steps", &spy.norms.lock().unwrap(), &[0.1, 0.1], 1e-5);
}

#[test]
fn the_average_of_weights_is_judged_and_kept_while_training_goes_its_own_way() {
    let (plain_spy, spy) = (Spy::default(), Spy::default());
    let mut plain = learner(1, 0).callback(plain_spy.clone());
    let start = weights(plain.params());
    plain.fit(3, 0.01).unwrap();
    let mut averaged = learner(1, 0).callback(WeightAverage::new(0.9)).callback(spy.clone());
    averaged.fit(3, 0.01).unwrap();
    // Training is untouched by it: the same losses, the same weights after each batch.
    assert_same_bits("losses", &averaged.recorder().losses, &plain.recorder().losses);
    assert_eq!(*spy.weights.lock().unwrap(), *plain_spy.weights.lock().unwrap());
    // ema = d·ema + (1 - d)·w, d = min(0.9, (1 + t)/(10 + t)), over the weights after each of the 15 steps.
    let mut want = start;
    let mut after_epochs = Vec::new();
    for (i, weights) in plain_spy.weights.lock().unwrap().iter().enumerate() {
        let t = (i + 1) as f64;
        let decay = f64::min(0.9, (1.0 + t) / (10.0 + t));
        want.iter_mut().zip(weights).for_each(|(average, w)| *average = decay * *average + (1.0 - decay) * w);
        if i % 5 == 4 {
            after_epochs.push(want.clone());
        }
    }
    assert_close("average", &weights(averaged.params()), &want, 1e-5);
    assert_eq!(averaged.validate().unwrap().0, averaged.recorder().valid_losses()[2]);
    assert_ne!(averaged.recorder().valid_losses(), plain.recorder().valid_losses());
    // The best epoch's weights are the averages that were judged.
    let mut best = learner(1, 0).callback(SaveBest::new(Monitor::valid_loss())).callback(WeightAverage::new(0.9));
    best.fit(3, 0.01).unwrap();
    let losses = best.recorder().valid_losses();
    let lowest = (0..3).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    assert_eq!(best.validate().unwrap().0, losses[lowest]);
    assert_close("the best average", &weights(best.params()), &after_epochs[lowest], 1e-5);
}

/// Makes the loss infinite from a batch on.
struct Explode(usize, usize);

impl Callback for Explode {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if (state.epoch, state.batch) == (self.0, self.1) {
            state.xs = state.xs.as_ref().map(|xs| xs * f64::NAN).transpose()?;
        }
        Ok(())
    }
}

#[test]
fn training_ends_quietly_where_the_loss_is_no_number() {
    let spy = Spy::default();
    let mut stopped = learner(1, 0).callback(Explode(1, 3)).callback(TerminateOnNaN).callback(spy.clone());
    stopped.fit(3, 0.01).unwrap();
    assert_eq!((stopped.recorder().rows.len(), stopped.recorder().losses.len()), (1, 8));
    let parameters: Vec<f64> = stopped.params().trainable().iter().flat_map(|p| values(p.var())).collect();
    assert!(parameters.iter().all(|v| v.is_finite()));
    // It can go on.
    stopped.fit(1, 0.01).unwrap();
    assert_eq!(stopped.recorder().rows.iter().map(|row| row.fit).collect::<Vec<_>>(), [0, 1]);

    let mut best = learner(1, 0).callback(Explode(1, 3)).callback(TerminateOnNaN);
    best = best.callback(SaveBest::new(Monitor::valid_loss()));
    best.fit(3, 0.01).unwrap();
    let mut one_epoch = learner(1, 0);
    one_epoch.fit(1, 0.01).unwrap();
    assert_same_bits("the best epoch", &weights(best.params()), &weights(one_epoch.params()));
}

#[test]
fn the_table_is_kept_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/history.csv");
    let mut learner = learner(1, 0).callback(CsvLogger::new(&file));
    learner.fit(2, 0.01).unwrap();
    learner.fit(1, 0.01).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("fit,epoch,train_loss,valid_loss,accuracy"));
    let read: Vec<f64> = lines.flat_map(|line| line.split(',')).map(|cell| cell.parse().unwrap()).collect();
    assert_same_bits("read back", &read, &written(learner.recorder())[..15]);
    assert_eq!(std::fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
}

#[test]
fn the_csv_has_the_columns_of_the_table_metrics_of_training_batches_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.csv");
    let mut learner = learner(1, 0).train_metrics().callback(CsvLogger::new(&file));
    learner.fit(1, 0.01).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("fit,epoch,train_loss,train_accuracy,valid_loss,accuracy"));
    let row = &learner.recorder().rows[0];
    let read: Vec<f64> = lines.next().unwrap().split(',').map(|cell| cell.parse().unwrap()).collect();
    assert_eq!(read, [0.0, 0.0, row.train_loss, row.train_metrics[0], row.valid_loss, row.metrics[0]]);
}
