//! The best epoch: which one it is, that its weights are put back, and that nothing on the way changes that.

use crate::common::assert_same_bits;
use crate::{learner, loaders, network, weights};
use candle_core::Tensor;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tallow::nn::losses::cross_entropy;
use tallow::train::{
    Callback, Checkpoints, EarlyStopping, Learner, Metric, Monitor, SaveBest, TerminateOnNaN, TrainState, WeightAverage,
};
use tallow::{Error, Result};

/// Writes down the weights that each epoch was judged by, and can die after one.
#[derive(Clone, Default)]
struct Judged {
    weights: Arc<Mutex<Vec<Vec<f64>>>>,
    die_after: Option<usize>,
}

impl Callback for Judged {
    fn before_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        let dies = state.epoch > 0 && self.die_after == Some(state.epoch - 1);
        if dies { Err(Error::Value("killed".into())) } else { Ok(()) }
    }

    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        self.weights.lock().unwrap().push(weights(&state.params));
        Ok(())
    }
}

/// A learner whose metric is a given series, one value an epoch, from a certain epoch on.
fn told(series: &[f64], from: usize) -> Learner {
    let rest = series[from..].to_vec();
    let series = Mutex::new(rest.into_iter());
    let judge = move |_: &Tensor, _: &Tensor| Ok(series.lock().unwrap().next().unwrap());
    let (network, params) = network(1);
    let metric = Metric::of_all("series", judge).may_be_undefined();
    Learner::new(loaders(1, 0), network, &params, cross_entropy).metrics([metric])
}

fn best() -> SaveBest {
    SaveBest::new(Monitor::highest("series"))
}

fn kept(learner: &Learner) -> usize {
    learner.recorder().kept_row().unwrap().epoch
}

#[test]
fn a_number_beats_nan_and_nan_beats_nothing() {
    let nan = f64::NAN;
    for (series, want) in [
        (vec![nan, 0.5, 0.9, 0.7], 2),
        (vec![0.5, nan, 0.9, nan], 2),
        (vec![0.5, nan], 0),
        (vec![nan, nan], 0),
        (vec![nan, f64::NEG_INFINITY, nan], 1),
        (vec![0.7, 0.9, 0.9], 1),
    ] {
        let judged = Judged::default();
        let mut learner = told(&series, 0).callback(best()).callback(judged.clone());
        learner.fit(series.len(), 0.01).unwrap();
        assert_eq!(kept(&learner), want, "{series:?}");
        assert_same_bits(&format!("{series:?}"), &weights(learner.params()), &judged.weights.lock().unwrap()[want]);
    }
}

fn checkpoints(file: &Path) -> Checkpoints {
    Checkpoints { file: file.into(), every: Duration::ZERO, resume: true }
}

#[test]
fn a_killed_run_ends_with_the_same_best_epoch() {
    let nan = f64::NAN;
    for series in [[nan, 0.5, 0.9, 0.7], [f64::NEG_INFINITY, nan, f64::NEG_INFINITY, nan], [0.9, nan, 0.5, 0.6]] {
        let folder = tempfile::tempdir().unwrap();
        let start = |from: usize, die_after, name: &str| {
            let learner = told(&series, from).callback(best()).callback(Judged { die_after, ..Judged::default() });
            learner.checkpoints(checkpoints(&folder.path().join(name)))
        };
        let mut whole = start(0, None, "whole");
        whole.fit(4, 0.01).unwrap();
        for epoch in 0..3 {
            let name = format!("killed after {epoch}");
            assert!(start(0, Some(epoch), &name).fit(4, 0.01).is_err());
            let mut resumed = start(epoch + 1, None, &name);
            resumed.fit(4, 0.01).unwrap();
            assert_eq!(kept(&resumed), kept(&whole), "{series:?} {name}");
            assert_same_bits(&format!("{series:?} {name}"), &weights(resumed.params()), &weights(whole.params()));
        }
    }
}

/// Makes the loss of a batch no number.
struct Explode;

impl Callback for Explode {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if (state.epoch, state.batch) == (2, 3) {
            state.xs = state.xs.as_ref().map(|xs| xs * f64::NAN).transpose()?;
        }
        Ok(())
    }
}

#[test]
fn beside_averaged_weights_in_either_order_the_best_epoch_is_the_one_that_was_judged() {
    for (ends_early, best_first) in [(true, true), (true, false), (false, true), (false, false)] {
        let judged = Judged::default();
        let mut learner = told(&[0.5, 0.9, 0.7], 0);
        if ends_early {
            learner = learner.callback(Explode).callback(TerminateOnNaN);
        }
        let average = WeightAverage::new(0.9);
        learner = match best_first {
            true => learner.callback(best()).callback(average),
            false => learner.callback(average).callback(best()),
        };
        let mut learner = learner.callback(judged.clone());
        learner.fit(3, 0.01).unwrap();
        let what = format!("ends early: {ends_early}, best first: {best_first}");
        assert_eq!((learner.recorder().rows.len(), kept(&learner)), (if ends_early { 2 } else { 3 }, 1), "{what}");
        assert_same_bits(&what, &weights(learner.params()), &judged.weights.lock().unwrap()[1]);
    }
}

#[test]
fn without_a_best_one_the_last_epoch_is_kept_and_a_later_fit_forgets_the_best() {
    let mut plain = learner(1, 0);
    assert!(plain.recorder().kept_row().is_none());
    plain.fit(3, 0.01).unwrap();
    assert_eq!(kept(&plain), 2);
    let mut stopped = told(&[0.9, 0.5, 0.6, 0.7, 0.1], 0).callback(best());
    stopped = stopped.callback(EarlyStopping::new(Monitor::highest("series"), 2));
    stopped.fit(5, 0.01).unwrap();
    assert_eq!((stopped.recorder().rows.len(), kept(&stopped)), (3, 0));
    stopped.fit(2, 0.01).unwrap();
    let row = stopped.recorder().kept_row().unwrap();
    assert_eq!((row.fit, row.epoch, row.metrics[0]), (1, 0, 0.7));
}
