//! The learning rates that an optimizer gets, against fast.ai's and PyTorch's numbers.

use crate::common::{assert_close, fixture, numbers};
use crate::{learner, loaders, network};
use candle_core::Tensor;
use std::sync::{Arc, Mutex};
use tallow::Result;
use tallow::nn::losses::cross_entropy;
use tallow::optim::{Hypers, StepLr, slice, slice_to};
use tallow::train::{Callback, FineTune, Learner, Metric, Monitor, PlateauConfig, ReduceLrOnPlateau, TrainState};

/// Writes down the learning rates and the momentum of each step.
#[derive(Clone, Default)]
struct Spy(Arc<Mutex<Vec<Hypers>>>);

impl Callback for Spy {
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        self.0.lock().unwrap().push(state.hypers.clone());
        Ok(())
    }
}

impl Spy {
    fn group(&self, group: usize) -> Vec<f64> {
        self.0.lock().unwrap().iter().map(|hypers| hypers.lr[group]).collect()
    }

    fn moms(&self) -> Vec<f64> {
        self.0.lock().unwrap().iter().filter_map(|hypers| hypers.mom).collect()
    }
}

/// Two groups: convolution and batch norm, and the linear layer. Five batches an epoch.
fn spied() -> (Learner, Spy) {
    let spy = Spy::default();
    let learner = learner(1, 0).callback(spy.clone());
    learner.params().split_groups(&[&["0", "1"], &["6"]]).unwrap();
    (learner, spy)
}

#[test]
fn fine_tune_is_fastais() {
    let (mut learner, spy) = spied();
    // Ten batches with a frozen body, then 30: the numbers of the fixture.
    learner.fine_tune(6, FineTune { freeze_epochs: 2, ..FineTune::default() }).unwrap();
    let want = &fixture("training.json")["schedule"];
    let (frozen, unfrozen) = (&want["fine_tune_frozen_lr.002_n10"], &want["fine_tune_unfrozen_lr.001_n30"]);
    // fast.ai computes the positions in f32 tensors.
    let (last, first) = (spy.group(1), spy.group(0));
    assert_close("head, frozen", &last[..10], &numbers(&frozen["lr"]), 2e-7);
    assert_close("head, unfrozen", &last[10..], &numbers(&unfrozen["lr"]), 2e-7);
    let tenth: Vec<f64> = numbers(&frozen["lr"]).iter().map(|lr| lr / 10.0).collect();
    assert_close("norms of the body, frozen", &first[..10], &tenth, 2e-7);
    let hundredth: Vec<f64> = numbers(&unfrozen["lr"]).iter().map(|lr| lr / 100.0).collect();
    assert_close("body, unfrozen", &first[10..], &hundredth, 2e-7);
    let moms: Vec<f64> = [frozen, unfrozen].iter().flat_map(|part| numbers(&part["mom"])).collect();
    assert_close("momentum", &spy.moms(), &moms, 2e-7);
    let rows = &learner.recorder().rows;
    assert_eq!(rows.iter().map(|row| (row.fit, row.epoch)).collect::<Vec<_>>()[..3], [(0, 0), (0, 1), (1, 0)]);
    assert_eq!(learner.recorder().iters, [5, 10, 15, 20, 25, 30, 35, 40]);
}

#[test]
fn rates_go_to_their_groups() {
    let (mut learner, spy) = spied();
    learner.fit(1, slice(1e-4, 1e-2)).unwrap();
    learner.fit(1, slice_to(1e-2)).unwrap();
    learner.fit(1, 1e-2).unwrap();
    let first: Vec<f64> = spy.group(0).into_iter().step_by(5).collect();
    assert_close("first group", &first, &[1e-4, 1e-3, 1e-2], 1e-14);
    assert!(spy.group(1).iter().all(|&lr| lr == 1e-2));
    // The recorder has the last group's, as fast.ai's.
    assert_eq!(learner.recorder().lrs, spy.group(1));
}

#[test]
fn steps_fall_at_the_ends_of_epochs() {
    let (mut learner, spy) = spied();
    learner.fit_schedule(5, &StepLr::new(0.01, 2)).unwrap();
    // As PyTorch's document trains: SGD(lr=.01), StepLR(2, .1), scheduler.step() after each epoch.
    let want: Vec<f64> = [0.01, 0.01, 0.001, 0.001, 0.0001].iter().flat_map(|&lr| [lr; 5]).collect();
    assert_close("rates", &spy.group(1), &want, 1e-12);
    learner.fit_flat_cos(4, 0.5).unwrap();
    let flat = &spy.group(0)[25..];
    assert!(flat[..15].iter().all(|&lr| lr == 0.5) && flat[16..].windows(2).all(|w| w[1] < w[0]) && flat[19] < 0.05);
}

/// A learner whose metric is a given series, one value an epoch.
fn told(series: Vec<f64>, callback: ReduceLrOnPlateau) -> (Learner, Spy) {
    let series = Mutex::new(series.into_iter());
    let judge = move |_: &Tensor, _: &Tensor| Ok(series.lock().unwrap().next().unwrap());
    let (network, params) = network(1);
    params.split_groups(&[&["0", "1"], &["6"]]).unwrap();
    let spy = Spy::default();
    let learner = Learner::new(loaders(1, 0), network, &params, cross_entropy)
        .metrics([Metric::of_all("series", judge).may_be_undefined()])
        .callback(callback)
        .callback(spy.clone());
    (learner, spy)
}

#[test]
fn a_plateau_lowers_the_rates_as_in_pytorch() {
    let want = &fixture("pytorch.json")["plateau"];
    let series: Vec<f64> = want["series"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect();
    let plateau = |monitor, config| ReduceLrOnPlateau::new(monitor, config);
    let min = PlateauConfig { patience: 1, ..PlateauConfig::default() };
    let cooldown = PlateauConfig { cooldown: 2, factor: 0.5, min_lr: 0.004, ..min.clone() };
    let max = PlateauConfig { patience: 2, threshold: 0.05, ..PlateauConfig::default() };
    let cases = [
        ("min", series.clone(), plateau(Monitor::lowest("series"), min)),
        ("min_cooldown", series.clone(), plateau(Monitor::lowest("series"), cooldown)),
        ("max", series.iter().map(|v| 1.0 - v).collect(), plateau(Monitor::highest("series"), max)),
    ];
    for (name, series, callback) in cases {
        let n = series.len();
        let (mut learner, spy) = told(series, callback);
        learner.fit(n, vec![0.01, 0.1]).unwrap();
        let rates: Vec<f64> = (0..n).flat_map(|i| [spy.group(0)[5 * i], spy.group(1)[5 * i]]).collect();
        assert_close(name, &rates, &numbers(&want[name]), 1e-12);
        assert!(rates[2 * n - 2] < 0.01, "{name}: never reduced");
    }
}
