//! Divergence, wherever it shows first: the validation loss, a metric, a weight; and what refuses its results.

use crate::common::{assert_close, params, values};
use crate::{learner, loaders, network};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::losses::{CrossEntropy, cross_entropy};
use tallow::nn::{Params, Sequential};
use tallow::optim::{Sgd, clip_grad_norm};
use tallow::train::export::{self, Exported};
use tallow::train::{
    Callback, Learner, Metric, Monitor, SaveBest, TerminateOnNaN, TrainState, accuracy, error_rate, f1_score,
    precision, recall,
};
use tallow::{Error, Result};

#[track_caller]
fn not_finite(result: Result<()>, what: &str, epoch: usize) {
    let error = result.unwrap_err();
    let message = error.to_string();
    let Error::NotFinite { what: found, epoch: at, .. } = error else { panic!("{message}") };
    assert_eq!((found.as_str(), at), (what, epoch), "{message}");
    assert!(message.contains("training has diverged") && message.contains("learning rate"), "{message}");
    assert_eq!(tallow::cli::exit_code(&Error::NotFinite { what: found, value: f64::NAN, epoch }), 1);
}

/// Spoils weights after the last batch of an epoch, so that no training loss shows it.
struct Spoil {
    epoch: usize,
    name: &'static str,
    value: f64,
}

impl Callback for Spoil {
    fn after_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if state.epoch == self.epoch && state.batch + 1 == state.n_batches {
            let var = state.params.get(self.name)?.var().clone();
            var.set(&(var.zeros_like()? + self.value)?)?;
        }
        Ok(())
    }
}

#[test]
fn a_validation_loss_that_is_no_number_is_divergence() {
    let spoil = |value| Spoil { epoch: 1, name: "6.weight", value };
    let mut spoilt = learner(1, 0).callback(spoil(f64::NAN));
    not_finite(spoilt.fit(3, 0.01), "the validation loss", 1);
    // The row is there to be seen, and nothing came after it.
    assert_eq!(spoilt.recorder().rows.len(), 2);
    assert!(spoilt.recorder().rows[1].valid_loss.is_nan() && spoilt.recorder().rows[1].metrics[0].is_nan());
    // Scores that overflow.
    not_finite(learner(1, 0).callback(spoil(1e38)).fit(3, 0.01), "the validation loss", 1);
    // One batch an epoch and a huge rate: the first loss is the last one, and finite.
    let (network, params) = network(1);
    let loader = || DataLoader::new(crate::dataset(), 37).unwrap();
    let dls = DataLoaders { train: loader(), valid: loader() };
    let mut learner = Learner::new(dls, network, &params, cross_entropy).metrics([accuracy()]);
    not_finite(learner.fit(1, 1e38), "the validation loss", 0);
}

#[test]
fn so_is_a_weight_that_no_loss_shows() {
    // A statistic of which evaluation takes 1/sqrt(x + eps): infinity gives zeros, and a finite loss.
    let spoil = Spoil { epoch: 0, name: "1.running_var", value: f64::INFINITY };
    not_finite(learner(1, 0).callback(spoil).fit(2, 0.01), "the weight `1.running_var`", 0);
}

#[test]
fn so_is_a_metric_unless_it_may_be_undefined() {
    let odd = || Metric::of_all("odd", |_: &Tensor, _: &Tensor| Ok(f64::INFINITY));
    not_finite(learner(1, 0).metrics([accuracy(), odd()]).fit(1, 0.01), "the metric `odd`", 0);
    let mut undefined = learner(1, 0).metrics([odd().may_be_undefined()]);
    undefined.fit(1, 0.01).unwrap();
    assert_eq!(undefined.recorder().rows[0].metrics[0], f64::INFINITY);
}

#[test]
fn who_asks_for_a_quiet_end_gets_it_with_the_best_epoch() {
    let spoil = Spoil { epoch: 2, name: "6.weight", value: f64::NAN };
    let mut quiet = learner(1, 0).callback(spoil).callback(SaveBest::new(Monitor::valid_loss()));
    quiet = quiet.callback(TerminateOnNaN);
    quiet.fit(5, 0.01).unwrap();
    let losses = quiet.recorder().valid_losses();
    assert!(losses.len() == 3 && losses[2].is_nan(), "{losses:?}");
    let kept = quiet.recorder().kept_row().unwrap();
    assert!(kept.epoch < 2);
    assert_eq!(quiet.validate().unwrap().0, kept.valid_loss);
}

#[test]
fn weights_that_are_no_numbers_are_neither_exported_nor_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    let with = |value: f32| Exported {
        kind: "test".into(),
        recipe: serde_json::Value::Null,
        vocab: vec![],
        metrics: BTreeMap::new(),
        // Their sum overflows, and they are numbers nevertheless.
        weights: [("fc.bias".to_string(), Tensor::new(&[f32::MAX, f32::MAX, value], &Device::Cpu).unwrap())].into(),
    };
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = export::export(&model, &with(value)).unwrap_err().to_string();
        assert!(error.contains("`fc.bias`") && error.contains("not exported"), "{error}");
        assert!(!model.exists());
    }
    export::export(&model, &with(1.0)).unwrap();
    export::load(&model).unwrap();
    // A folder of before, whose notes fit its weights.
    let file = model.join("model.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&file, &bytes).unwrap();
    let notes = std::fs::read_to_string(model.join("learner.json")).unwrap();
    let mut notes: serde_json::Value = serde_json::from_str(&notes).unwrap();
    notes["weights"]["sha256"] = tallow_io::hash::bytes(&bytes).sha256.into();
    std::fs::write(model.join("learner.json"), notes.to_string()).unwrap();
    let error = export::load(&model).unwrap_err();
    assert_eq!(tallow::cli::exit_code(&error), 3);
    assert!(error.to_string().contains("NaN in `fc.bias`"), "{error}");
}

#[test]
fn metrics_refuse_scores_that_are_no_numbers_and_labels_that_are_no_whole_ones() {
    let scores = Tensor::new(&[[0.1f32, 0.9], [0.8, f32::NAN], [0.3, 0.2]], &Device::Cpu).unwrap();
    let ys = Tensor::new(&[1u32, 0, 0], &Device::Cpu).unwrap();
    let floats = Tensor::new(&[0.7f32, 1.9, 0.0], &Device::Cpu).unwrap();
    let whole = Tensor::new(&[[0.1f32, 0.9], [0.8, 0.1], [0.3, 0.2]], &Device::Cpu).unwrap();
    for metric in [accuracy(), error_rate(), precision(), recall(), f1_score()] {
        let error = metric.of(&scores, &ys).unwrap_err().to_string();
        assert!(error.contains("item 1 for class 1 is NaN"), "{}: {error}", metric.name());
        let error = metric.of(&whole, &floats).unwrap_err().to_string();
        assert!(error.contains("whole numbers") && error.contains("F32"), "{}: {error}", metric.name());
        metric.of(&whole, &ys).unwrap();
    }
}

#[test]
fn a_norm_that_is_no_number_spoils_all_gradients_as_in_pytorch() {
    // a, b = (torch.nn.Parameter(torch.zeros(n)) for n in (2, 1)); a.grad, b.grad = tensor([x, 1.]), tensor([2.])
    // torch.nn.utils.clip_grad_norm_([a, b], 1.0): for x = nan all three gradients are nan; for x = inf nan, 0, 0
    for (x, want) in [(f32::NAN, [f64::NAN; 3]), (f32::INFINITY, [f64::NAN, 0.0, 0.0])] {
        let params = params(1);
        let make = |name: &str, n: usize| params.constant(name, tallow::nn::ParamKind::Weight, n, 0.0).unwrap();
        let (a, b) = (make("a", 2), make("b", 1));
        let of = |p: &tallow::nn::Param, g: &[f32]| (p.tensor() * Tensor::new(g, &Device::Cpu).unwrap()).unwrap();
        let sum = (of(&a, &[0.0, 1.0]).sum_all().unwrap() + of(&b, &[2.0]).sum_all().unwrap()).unwrap();
        let mut grads = sum.backward().unwrap();
        grads.insert(a.var(), Tensor::new(&[x, 1.0], &Device::Cpu).unwrap());
        let norm = clip_grad_norm(&[a.clone(), b.clone()], &mut grads, 1.0).unwrap();
        assert!(!norm.is_finite());
        let got = [values(grads.get(a.var()).unwrap()), values(grads.get(b.var()).unwrap())].concat();
        assert!(
            got.iter().zip(want).all(|(got, want)| got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan())
        );
    }
}

#[test]
fn macro_averages_leave_out_classes_that_neither_occur_nor_are_predicted() {
    // precision_score([0, 1, 0, 1], [0, 1, 0, 1], average="macro") == 1.0, and so are recall and F1
    let scores = Tensor::new(&[[9f32, 1., 0.], [1., 9., 0.], [9., 1., 0.], [1., 9., 0.]], &Device::Cpu).unwrap();
    let ys = Tensor::new(&[0u32, 1, 0, 1], &Device::Cpu).unwrap();
    for metric in [precision(), recall(), f1_score()] {
        assert_eq!(metric.of(&scores, &ys).unwrap(), 1.0, "{}", metric.name());
    }
    // One that is predicted and does not occur counts: precision_score([0, 0], [0, 2], average="macro") == 0.5
    let two = Tensor::new(&[[9f32, 1., 0.], [1., 0., 9.]], &Device::Cpu).unwrap();
    let ys = Tensor::new(&[0u32, 0], &Device::Cpu).unwrap();
    assert_eq!(precision().of(&two, &ys).unwrap(), 0.5);
}

/// A linear network, plain descent.
fn linear() -> (Sequential, Params) {
    let params = params(5);
    (Sequential::new(&params).flatten().linear(36, 3).unwrap(), params)
}

#[test]
fn plain_descent_stays_plain_under_a_schedule_of_momenta() {
    // fast.ai's SGD(mom=0) has no average_grad among its steppers, whatever fit_one_cycle schedules.
    let fit = |with_momenta: bool| {
        let (network, params) = linear();
        let mut learner = Learner::new(loaders(1, 0), network, &params, cross_entropy).opt(Sgd::new());
        if !with_momenta {
            struct NoMomentum;
            impl Callback for NoMomentum {
                fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
                    state.hypers.mom = None;
                    Ok(())
                }
            }
            learner = learner.callback(NoMomentum);
        }
        learner.fit_one_cycle(3, 0.1).unwrap();
        crate::weights(&params)
    };
    assert_eq!(fit(true), fit(false));
}

#[test]
fn a_weighted_loss_is_that_of_all_items_however_they_fall_into_batches() {
    // F.cross_entropy(scores, ys, weight=torch.tensor([1., 2., 5.])) over all 37 items at once
    let loss = CrossEntropy { weights: Some(vec![1.0, 2.0, 5.0]), ..CrossEntropy::default() };
    let (xs, ys) = crate::images();
    let judge = |batch_size: usize, with_weight: bool| {
        let (network, params) = linear();
        let loader = DataLoader::new(TensorDataset::new(&xs, &ys).unwrap(), batch_size).unwrap();
        let dls = DataLoaders { train: loader.clone(), valid: loader };
        let (of, weight_of) = (loss.clone(), loss.clone());
        let learner = Learner::new(dls, network, &params, move |preds: &Tensor, ys: &Tensor| of.of(preds, ys));
        let learner = if with_weight { learner.loss_weight(move |ys| weight_of.weight_of(ys)) } else { learner };
        learner.validate().unwrap().0
    };
    let whole = judge(37, false);
    for batch_size in [1, 2, 3, 7, 36] {
        assert_close("weighed", &[judge(batch_size, true)], &[whole], 1e-6);
    }
    assert!((judge(1, false) - whole).abs() > 1e-3, "a mean over items is another number");
    let soft = Tensor::zeros((4, 3), DType::F32, &Device::Cpu).unwrap();
    assert_eq!((loss.weight_of(&soft).unwrap(), CrossEntropy::default().weight_of(&ys).unwrap()), (4.0, 37.0));
    let stranger = Tensor::new(&[3u32], &Device::Cpu).unwrap();
    assert!(loss.weight_of(&stranger).unwrap_err().to_string().contains("label 3"));
}
