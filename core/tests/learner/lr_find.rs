//! The learning-rate finder.

use crate::common::{assert_close, assert_same_bits, formula};
use crate::{learner, weights, written};
use tallow::optim::sched_exp;
use tallow::train::{LrFind, LrFindConfig};

/// A curve of 100 losses as `lr_find` sees them.
fn curve(loss: impl Fn(f64, f64) -> f64) -> LrFind {
    let noise = formula("curve", 100);
    let lrs = (0..100).map(|i| 1e-7 * 1e8f64.powf(f64::from(i) / 100.0)).collect();
    LrFind { lrs, losses: noise.iter().enumerate().map(|(i, &u)| loss(i as f64, u)).collect(), num_it: 100 }
}

fn fall(i: f64) -> f64 {
    2.5 - 1.8 / (1.0 + (-(i - 55.0) / 6.0).exp())
}

fn noisy() -> LrFind {
    curve(|i, u| fall(i) + 0.05 * u + ((i - 90.0) / 2.0).exp())
}

/// The numbers come from fast.ai's formulae in numpy:
/// `lrs, losses = lrs[num_it//10:-5], losses[num_it//10:-5]`, cut before the first NaN, and then
/// valley: longest decreasing subsequence from `end - length` to `end`, at a third and half a third of it;
/// slide: `g = np.gradient(losses)`, `while abs(g[r] - g[l]) > .005` down from `r = -1, l = -16`;
/// steep: `lrs[(np.diff(losses) / np.diff(np.log(lrs))).argmin()]`; minimum: `lrs[losses.argmin()] / 10`.
#[test]
fn suggestions_are_fastais() {
    let mut nan = noisy();
    nan.losses[70..].fill(f64::NAN);
    let mut short = noisy();
    short.lrs.truncate(40);
    short.losses.truncate(40);
    short.num_it = 40;
    let cases = [
        (
            "smooth",
            curve(|i, _| fall(i) + ((i - 88.0) / 3.0).exp()),
            [0.00022908676527677726, 0.0008317637711026709, 0.0020892961308540407, 0.01445439770745928],
        ),
        ("noisy", noisy(), [0.009120108393559097, 0.01584893192461114, 0.004365158322401656, 0.02089296130854041]),
        (
            "rough",
            curve(|_, u| 1.0 + 0.5 * u),
            [0.36307805477010097, 0.027542287033381692, 0.004365158322401656, 1.7378008287493761e-06],
        ),
        (
            "rising",
            curve(|i, _| 1.0 + 0.01 * i),
            [6.309573444801933e-07, 0.2089296130854041, f64::NAN, 6.309573444801932e-08],
        ),
        (
            "falling",
            curve(|i, _| 1.0 - 0.005 * i),
            [0.001202264434617413, 0.2089296130854041, f64::NAN, 0.3311311214825908],
        ),
        ("nan", nan, [0.001, 3.981071705534973e-06, 0.004365158322401656, 0.002754228703338169]),
        (
            "40 batches",
            short,
            [1.737800828749376e-05, 7.585775750291837e-07, 8.317637711026708e-06, 5.248074602497728e-06],
        ),
    ];
    for (name, found, want) in cases {
        let got = [found.valley(), found.slide(), found.steep(), found.minimum()].map(Option::unwrap);
        for ((what, got), want) in ["valley", "slide", "steep", "minimum"].iter().zip(got).zip(want) {
            // On a straight line the steepest place is a matter of rounding.
            if !want.is_nan() {
                assert_close(&format!("{what} of the {name} curve"), &[got], &[want], 1e-12);
            }
        }
    }
}

#[test]
fn too_few_points_give_no_suggestion() {
    for n in 0..4 {
        let found = LrFind { lrs: vec![0.1; n], losses: vec![1.0; n], num_it: 100 };
        assert_eq!(found.slide(), None);
        assert!(n > 1 || (found.valley(), found.steep()) == (None, None));
    }
    let nan = LrFind { lrs: vec![0.1; 30], losses: vec![f64::NAN; 30], num_it: 100 };
    assert_eq!((nan.valley(), nan.slide(), nan.steep(), nan.minimum()), (None, None, None, None));
}

#[test]
fn the_search_leaves_everything_as_it_was() {
    let config = LrFindConfig::default();
    let (mut searched, mut plain) = (learner(1, 0), learner(1, 2));
    for learner in [&mut searched, &mut plain] {
        learner.fit(1, 0.01).unwrap(); // so that the optimizer has a memory
    }
    let (before, history) = (weights(searched.params()), written(searched.recorder()));
    let streams = searched.params().stream_positions();
    let found = searched.lr_find(&config).unwrap();
    assert!(found.losses.len() > 20 && found.losses.iter().all(|loss| loss.is_finite()));
    let lrs: Vec<f64> = (0..found.lrs.len()).map(|i| sched_exp(1e-7, 10.0, i as f64 / 100.0)).collect();
    assert_same_bits("rates", &found.lrs, &lrs);
    assert_same_bits("weights", &weights(searched.params()), &before);
    assert_same_bits("history", &written(searched.recorder()), &history);
    assert_eq!(searched.params().stream_positions(), streams);
    assert!(streams.values().any(|&position| position > 0));
    // What the optimizer remembers shows in what it does next.
    for learner in [&mut searched, &mut plain] {
        learner.fit(2, 0.01).unwrap();
    }
    assert_same_bits("history after", &written(searched.recorder()), &written(plain.recorder()));
    assert_same_bits("weights after", &weights(searched.params()), &weights(plain.params()));
}

#[test]
fn the_search_stops_where_the_loss_explodes() {
    let mut learner = learner(1, 0);
    let config = LrFindConfig { end_lr: 1e6, num_it: 60, ..LrFindConfig::default() };
    let found = learner.lr_find(&config).unwrap();
    let best = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
    let (last, earlier) = found.losses.split_last().unwrap();
    assert!(found.losses.len() < 60, "never stopped: {found:?}");
    // Four times the best, or no number at all: there and nowhere before.
    let explodes = |n: usize| found.losses[n] > 4.0 * best(&found.losses[..=n]) || !found.losses[n].is_finite();
    assert!(explodes(earlier.len()), "stopped at {last}");
    assert!((0..earlier.len()).all(|n| !explodes(n)));
    let all = LrFindConfig { end_lr: 0.1, num_it: 23, stop_div: false, ..LrFindConfig::default() };
    assert_eq!(learner.lr_find(&all).unwrap().losses.len(), 23);
}
