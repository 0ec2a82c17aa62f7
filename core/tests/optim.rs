//! Optimizers and schedules, step by step against PyTorch and fast.ai.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};
use common::{assert_close, assert_same_bits, fixture, formula, formula_tensor, numbers, params, values};
use std::slice::from_ref;
use tallow::nn::{Param, ParamKind, Params};
use tallow::optim::{
    Adam, CosineAnnealing, FlatCos, Hypers, Lrs, OneCycle, Optimizer, Progress, Schedule, Sgd, StepLr, clip_grad_norm,
    cosine_annealing, even_mults, sched_exp, sched_lin, slice, slice_to, step_lr, torch_one_cycle,
};

/// The reference problem: `0.5 * sum(a * (p - t)^2)` in 8 dimensions, in f64.
fn problem() -> (Params, Param) {
    let params = params(0);
    let p = params.add("p", ParamKind::Weight, |_, _| Ok(formula_tensor("p", &[8]))).unwrap();
    (params, p)
}

fn gradient(p: &Param) -> GradStore {
    let a = (formula_tensor("a", &[8]).sqr().unwrap() + 1.0).unwrap();
    let loss = (a * (p.tensor() - formula_tensor("t", &[8])).unwrap().sqr().unwrap()).unwrap();
    (loss.sum_all().unwrap() * 0.5).unwrap().backward().unwrap()
}

fn trace(mut optimizer: impl Optimizer, hypers: &dyn Fn(usize) -> Hypers) -> Vec<f64> {
    let (_, p) = problem();
    let mut steps = Vec::new();
    for i in 0..20 {
        optimizer.step(from_ref(&p), &gradient(&p), &hypers(i)).unwrap();
        steps.extend(values(p.var()));
    }
    steps
}

#[test]
fn twenty_steps_are_those_of_pytorch_and_fastai() {
    let want = &fixture("training.json")["optim"];
    let check = |name: &str, got: Vec<f64>| assert_close(name, &got, &numbers(&want[name]), 1e-13);
    let lr = |lr: f64| move |_: usize| Hypers::lr(lr);
    check("torch_sgd_lr.05_mom.9_wd.01", trace(Sgd::torch(0.9, 0.01), &lr(0.05)));
    let mut nesterov = Sgd::torch(0.9, 0.0);
    nesterov.nesterov = true;
    check("torch_sgd_nesterov_lr.05_mom.9", trace(nesterov, &lr(0.05)));
    check("torch_adam_lr.1", trace(Adam::torch(0.0), &lr(0.1)));
    check("torch_adamw_lr.1_wd.1", trace(Adam::adamw(0.1), &lr(0.1)));
    check("fastai_sgd_lr.05_mom.9_wd.01", trace(Sgd::fastai(0.9, 0.01), &lr(0.05)));
    check("fastai_adam_lr.1_wd.01", trace(Adam::fastai(), &lr(0.1)));
    let scheduled =
        |i: usize| Hypers { lr: vec![0.05 * (1 + i % 3) as f64], mom: Some([0.95, 0.9, 0.85, 0.9, 0.95][i % 5]) };
    check("fastai_adam_scheduled_wd.01", trace(Adam::fastai(), &scheduled));
}

/// Algorithm 1 of the Adam paper, with `wd * p` added to the gradient.
#[test]
fn adam_with_l2_weight_decay_is_the_papers_algorithm() {
    let (a, t, mut p) = (formula("a", 8), formula("t", 8), formula("p", 8));
    let (mut m, mut v, mut want) = ([0.0; 8], [0.0; 8], Vec::new());
    for step in 1..=20 {
        for i in 0..8 {
            let g = (1.0 + a[i] * a[i]) * (p[i] - t[i]) + 0.1 * p[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            let (m_hat, v_hat) = (m[i] / (1.0 - 0.9f64.powi(step)), v[i] / (1.0 - 0.999f64.powi(step)));
            p[i] -= 0.05 * m_hat / (v_hat.sqrt() + 1e-8);
        }
        want.extend(p.clone());
    }
    assert_close("adam with L2", &trace(Adam::torch(0.1), &|_| Hypers::lr(0.05)), &want, 1e-12);
}

#[test]
fn plain_descent_keeps_no_memory() {
    let (a, t, mut p) = (formula("a", 8), formula("t", 8), formula("p", 8));
    let mut want = Vec::new();
    for _ in 0..20 {
        p.iter_mut().zip(a.iter().zip(&t)).for_each(|(p, (a, t))| *p -= 0.05 * (1.0 + a * a) * (*p - t));
        want.extend(p.clone());
    }
    assert_close("sgd", &trace(Sgd::new(), &|_| Hypers::lr(0.05)), &want, 1e-13);
    let (_, p) = problem();
    let mut sgd = Sgd::new();
    sgd.step(from_ref(&p), &gradient(&p), &Hypers::lr(0.1)).unwrap();
    assert!(sgd.state().tensors.is_empty());
}

#[test]
fn schedules_are_those_of_fastai_and_pytorch() {
    let want = &fixture("training.json")["schedule"];
    let one_cycle = |name: &str, cycle: OneCycle, n: usize| {
        let at: Vec<Hypers> = (0..n).map(|i| cycle.at(i as f64 / n as f64, 1)).collect();
        let lrs: Vec<f64> = at.iter().map(|h| h.lr[0]).collect();
        let moms: Vec<f64> = at.iter().map(|h| h.mom.unwrap()).collect();
        // fast.ai computes the positions in f32 tensors.
        assert_close(&format!("{name} lr"), &lrs, &numbers(&want[name]["lr"]), 2e-7);
        assert_close(&format!("{name} mom"), &moms, &numbers(&want[name]["mom"]), 2e-7);
    };
    one_cycle("one_cycle_lr.003_n40", OneCycle::new(3e-3), 40);
    one_cycle("fine_tune_frozen_lr.002_n10", OneCycle { pct_start: 0.99, ..OneCycle::new(2e-3) }, 10);
    one_cycle("fine_tune_unfrozen_lr.001_n30", OneCycle { pct_start: 0.3, div: 5.0, ..OneCycle::new(1e-3) }, 30);
    let check = |name: &str, got: Vec<f64>| assert_close(name, &got, &numbers(&want[name]), 1e-12);
    check("slice_1e-5_1e-3_groups3", even_mults(1e-5, 1e-3, 3));
    check("step_lr_.001_step7_gamma.1_epochs25", (0..25).map(|e| step_lr(1e-3, 7, 0.1, e)).collect());
    check("torch_one_cycle_lr.1_n40", (0..40).map(|s| torch_one_cycle(0.1, 40, s).unwrap()).collect());
    check("torch_cosine_lr.1_n20", (0..20).map(|s| cosine_annealing(0.1, 20, s)).collect());
    assert_eq!((even_mults(1.0, 2.0, 1), even_mults(1.0, 2.0, 0)), (vec![2.0], vec![]));
    assert_eq!((sched_lin(1.0, 3.0, 0.25), sched_exp(1.0, 100.0, 0.5)), (1.5, 10.0));
}

#[test]
fn schedules_are_finite_at_their_ends() {
    for pct_start in [0.0, 0.25, 0.99, 1.0] {
        let cycle = OneCycle { pct_start, ..OneCycle::new(1.0) };
        for pos in [0.0, 0.5, 0.99, 1.0] {
            let hypers = cycle.at(pos, 1);
            assert!(hypers.lr[0].is_finite() && hypers.mom.unwrap().is_finite(), "{pct_start} {pos} {hypers:?}");
        }
    }
    for n in 1..6 {
        assert!((0..n).all(|step| torch_one_cycle(0.1, n, step).unwrap().is_finite()), "{n} steps");
    }
    // OneCycleLR(total_steps=0): ValueError: Expected positive integer total_steps, but got 0
    for (n, step) in [(0, 0), (5, 5)] {
        let error = torch_one_cycle(1.0, n, step).unwrap_err().to_string();
        assert!(error.contains(&format!("{n} steps")) && error.contains(&format!("step {step}")), "{error}");
    }
    assert!(cosine_annealing(0.1, 0, 0).is_finite());
}

/// A small network with all kinds of parameters in two groups, and gradients of 1 for all of them.
fn groups() -> (Params, Vec<Param>, GradStore) {
    let params = params(0);
    for layer in ["body", "head"] {
        let layer = params.pp(layer);
        layer.constant("weight", ParamKind::Weight, (2, 2), 2.0).unwrap();
        layer.constant("bias", ParamKind::Bias, 2, 2.0).unwrap();
        layer.constant("norm", ParamKind::Norm, 2, 2.0).unwrap();
        layer.constant("running_mean", ParamKind::Buffer, 2, 2.0).unwrap();
    }
    params.split_groups(&[&["body"], &["head"]]).unwrap();
    let all = params.all();
    // Through the variables themselves, so that frozen ones have a gradient too.
    let sum = all.iter().map(|p| p.var().sum_all().unwrap()).reduce(|a, b| (a + b).unwrap()).unwrap();
    let grads = sum.backward().unwrap();
    (params, all, grads)
}

fn after(optimizer: &mut dyn Optimizer, hypers: &Hypers, freeze_to: usize) -> Vec<(String, f64)> {
    let (params, all, grads) = groups();
    params.freeze_to(freeze_to);
    optimizer.step(&all, &grads, hypers).unwrap();
    all.iter().map(|p| (p.name().to_string(), values(p.var())[0])).collect()
}

#[test]
fn groups_have_learning_rates_of_their_own_and_frozen_ones_stay() {
    let rates = Hypers { lr: vec![0.1, 0.01], mom: None };
    let sgd = after(&mut Sgd::new(), &rates, 0);
    let adam = after(&mut Adam::torch(0.0), &rates, 0);
    for (name, value) in sgd.iter().chain(&adam) {
        let want = match (name.starts_with("body"), name.ends_with("running_mean")) {
            (_, true) => 2.0,
            (true, _) => 1.9,
            (false, _) => 1.99,
        };
        assert_close(name, &[*value], &[want], 1e-6);
    }
    // Too few rates: the last serves the groups beyond.
    assert!(after(&mut Sgd::new(), &Hypers::lr(0.5), 0).iter().all(|(name, v)| *v == 1.5 || name.ends_with("mean")));
    for optimizer in [&mut Sgd::torch(0.9, 0.1) as &mut dyn Optimizer, &mut Adam::fastai()] {
        for (name, value) in after(optimizer, &rates, 1) {
            let moves = !name.ends_with("running_mean") && (name.starts_with("head") || name == "body.norm");
            assert_eq!(value != 2.0, moves, "{name} is {value}");
        }
        let state = optimizer.state();
        assert!(state.tensors.keys().all(|key| !key.contains("body.weight") && !key.contains("running_mean")));
    }
}

#[test]
fn fastai_spares_norms_and_biases_from_weight_decay_and_pytorch_does_not() {
    let decayed = |optimizer: &mut dyn Optimizer, plain: &mut dyn Optimizer| -> Vec<String> {
        let rates = Hypers::lr(0.1);
        let (with, without) = (after(optimizer, &rates, 0), after(plain, &rates, 0));
        with.into_iter().zip(without).filter(|(a, b)| a.1 != b.1).map(|(a, _)| a.0).collect()
    };
    let weights = ["body.weight", "head.weight"];
    let all = ["body.weight", "body.bias", "body.norm", "head.weight", "head.bias", "head.norm"];
    let mut no_decay = Adam::fastai();
    no_decay.wd = 0.0;
    assert_eq!(decayed(&mut Adam::fastai(), &mut no_decay), weights);
    assert_eq!(decayed(&mut Sgd::fastai(0.9, 0.1), &mut Sgd::fastai(0.9, 0.0)), weights);
    assert_eq!(decayed(&mut Adam::adamw(0.1), &mut Adam::adamw(0.0)), all);
    assert_eq!(decayed(&mut Sgd::torch(0.0, 0.1), &mut Sgd::torch(0.0, 0.0)), all);
}

#[test]
fn a_state_can_be_taken_out_and_put_into_another_optimizer() {
    let makers: [fn() -> Box<dyn Optimizer>; 2] = [|| Box::new(Sgd::torch(0.9, 0.01)), || Box::new(Adam::fastai())];
    for make in makers {
        let (_, p) = problem();
        let mut first = make();
        for _ in 0..5 {
            first.step(from_ref(&p), &gradient(&p), &Hypers::lr(0.1)).unwrap();
        }
        let (state, place) = (first.state(), p.var().copy().unwrap());
        let mut second = make();
        second.set_state(state).unwrap();
        first.step(from_ref(&p), &gradient(&p), &Hypers::lr(0.1)).unwrap();
        let want = values(p.var());
        p.var().set(&place).unwrap();
        // A step of the first must not have moved what the second was given.
        second.step(from_ref(&p), &gradient(&p), &Hypers::lr(0.1)).unwrap();
        assert_same_bits("after the step", &values(p.var()), &want);
    }
    // An optimizer does not take another one's memory for its own.
    let (_, p) = problem();
    let (mut sgd, mut adam) = (Sgd::torch(0.9, 0.0), Adam::fastai());
    sgd.step(from_ref(&p), &gradient(&p), &Hypers::lr(0.1)).unwrap();
    adam.step(from_ref(&p), &gradient(&p), &Hypers::lr(0.1)).unwrap();
    let (of_sgd, of_adam) = (sgd.state(), adam.state());
    assert!(adam.set_state(of_sgd).is_err() && sgd.set_state(of_adam).is_err());
}

#[test]
fn a_gradient_of_another_shape_is_an_error() {
    let params = params(0);
    let p = params.constant("p", ParamKind::Weight, (2, 3), 1.0).unwrap();
    let mut grads = p.var().sum_all().unwrap().backward().unwrap();
    grads.insert(p.var(), Tensor::zeros((3, 2), DType::F32, &Device::Cpu).unwrap());
    for optimizer in
        [&mut Sgd::torch(0.9, 0.1) as &mut dyn Optimizer, &mut Sgd::new(), &mut Adam::fastai(), &mut Adam::torch(0.1)]
    {
        assert!(optimizer.step(from_ref(&p), &grads, &Hypers::lr(0.1)).is_err());
    }
}

/// The learning rates of two groups at the first batch of each epoch, and at its last.
fn epochs_of(schedule: &dyn Schedule, n_epochs: usize) -> [Vec<f64>; 2] {
    [0, 6].map(|batch| {
        let at = |epoch| schedule.hypers(&Progress { epoch, n_epochs, batch, n_batches: 7, n_groups: 2 });
        (0..n_epochs).flat_map(|epoch| at(epoch).lr).collect()
    })
}

#[test]
fn schedules_by_epoch_are_pytorchs_for_each_group() {
    let want = fixture("pytorch.json");
    let lr = || Lrs::from(vec![0.01, 0.1]);
    for rates in epochs_of(&StepLr { gamma: 0.2, ..StepLr::new(lr(), 3) }, 10) {
        assert_close("StepLR", &rates, &numbers(&want["step_lr"]), 1e-14);
    }
    for rates in epochs_of(&CosineAnnealing { eta_min: 0.001, ..CosineAnnealing::new(lr()) }, 12) {
        assert_close("CosineAnnealingLR", &rates, &numbers(&want["cosine"]), 1e-12);
    }
}

#[test]
fn flat_cos_is_flat_and_then_half_a_cosine() {
    // fast.ai: combined_cos(.75, lr, lr, lr / 1e5) at i / 40.
    let schedule = FlatCos::new(vec![0.1, 1.0]);
    for i in 0..40 {
        let progress = Progress { epoch: i / 10, n_epochs: 4, batch: i % 10, n_batches: 10, n_groups: 2 };
        let share = (i as f64 / 40.0 - 0.75) / 0.25;
        let end = 1e-5 + (1.0 - 1e-5) * (1.0 + (std::f64::consts::PI * share).cos()) / 2.0;
        let want = if i < 30 { 1.0 } else { end };
        assert_close("flat cos", &schedule.hypers(&progress).lr, &[0.1 * want, want], 1e-12);
    }
}

#[test]
fn slices_are_fastais() {
    // fast.ai's `_set_hyper`: even_mults(start, stop, n), or [stop/10]*(n-1) + [stop]; a number goes to all groups.
    let check = |lrs: Lrs, want: &[f64]| assert_close(&lrs.to_string(), &lrs.of_groups(want.len()), want, 1e-14);
    check(slice(1e-5, 1e-3), &[1e-5, 1e-4, 1e-3]);
    check(slice(1e-5, 1e-3), &[1e-3]);
    check(slice_to(2e-3), &[2e-4, 2e-4, 2e-3]);
    check(slice_to(2e-3), &[2e-3]);
    check(Lrs::from(0.1), &[0.1, 0.1]);
    check(Lrs::from(vec![0.1, 0.2]), &[0.1, 0.2, 0.2]);
    assert_eq!(slice(1e-5, 1e-3).to_string(), "slice(0.00001, 0.001)");
}

#[test]
fn clipping_is_pytorchs() {
    let params = params(0);
    let made: Vec<Param> = [("a", 5), ("b", 3)]
        .map(|(name, n)| params.constant(name, ParamKind::Weight, n, 0.0).unwrap())
        .into_iter()
        .collect();
    let grads = [(formula_tensor("g0", &[5]) * 2.0).unwrap(), (formula_tensor("g1", &[3]) * 0.5).unwrap()];
    for max_norm in ["0.1", "1.0", "100.0"] {
        let want = &fixture("pytorch.json")["clip"][max_norm];
        let mut store = made[0].tensor().sum_all().unwrap().backward().unwrap();
        made.iter().zip(&grads).for_each(|(param, grad)| drop(store.insert(param.var(), grad.clone())));
        let norm = clip_grad_norm(&made, &mut store, max_norm.parse().unwrap()).unwrap();
        assert_close("norm", &[norm], &numbers(&want["norm"]), 1e-14);
        let clipped: Vec<f64> = made.iter().flat_map(|param| values(store.get(param.var()).unwrap())).collect();
        assert_close(&format!("clipped to {max_norm}"), &clipped, &numbers(&want["grads"]), 1e-14);
    }
}
