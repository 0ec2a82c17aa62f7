//! Fitting: one batch, callbacks, metrics, predictions.

use crate::common::{assert_close, assert_same_bits, values};
use crate::{images, learner, loaders, network, weights, written};
use candle_core::{DType, Device, Tensor};
use std::sync::{Arc, Mutex};
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Module, Sequential};
use tallow::optim::Sgd;
use tallow::train::{Callback, EarlyStopping, EpochRow, Learner, Monitor, SaveBest, TrainState, accuracy, error_rate};
use tallow::{Error, Result};

#[test]
fn one_batch_is_learnt_by_heart() {
    let (network, params) = network(1);
    let (xs, ys) = images();
    let one =
        || DataLoader::new(TensorDataset::new(&xs.narrow(0, 0, 8).unwrap(), &ys.narrow(0, 0, 8).unwrap()).unwrap(), 8);
    let dls = DataLoaders { train: one().unwrap(), valid: one().unwrap() };
    let mut learner = Learner::new(dls, network, &params, cross_entropy).metrics([accuracy()]);
    learner.fit(150, 1e-2).unwrap();
    let (loss, metrics) = learner.validate().unwrap();
    assert!(loss < 0.01 && metrics == [1.0], "loss {loss}, accuracy {metrics:?}");
    assert_eq!(learner.recorder().rows.len(), 150);
}

#[test]
fn the_same_seed_gives_the_same_history_and_another_seed_another() {
    let run = |seed: u64, workers: usize| {
        let mut learner = learner(seed, workers);
        learner.fit_one_cycle(2, 0.05).unwrap();
        learner.fit(1, 0.01).unwrap();
        (written(learner.recorder()), weights(learner.params()))
    };
    let first = run(1, 0);
    for workers in [0, 1, 3] {
        let again = run(1, workers);
        assert_same_bits("history", &again.0, &first.0);
        assert_same_bits("weights", &again.1, &first.1);
    }
    assert_ne!(run(2, 0).0, first.0);
}

#[test]
fn losses_and_metrics_count_each_item_once() {
    // The validation set's last batch is smaller: a mean over batches would be another number.
    let learner = learner(1, 0);
    let (xs, ys) = images();
    let preds = learner.predict(&xs).unwrap();
    let (loss, metrics) = learner.validate().unwrap();
    assert_close("loss", &[loss], &values(&cross_entropy(&preds, &ys).unwrap()), 1e-6);
    assert_close("accuracy", &metrics, &[accuracy().of(&preds, &ys).unwrap()], 1e-6);
    assert_close("error rate", &[error_rate().of(&preds, &ys).unwrap()], &[1.0 - metrics[0]], 1e-6);
}

#[test]
fn a_prediction_does_not_depend_on_its_neighbours() {
    let mut learner = learner(1, 0);
    learner.fit(2, 0.01).unwrap();
    let (xs, ys) = images();
    let together = values(&learner.predict(&xs).unwrap());
    for size in [1, 5, 36] {
        let loader = DataLoader::new(TensorDataset::new(&xs, &ys).unwrap(), size).unwrap();
        let (preds, targets) = learner.get_preds(&loader).unwrap();
        assert_close(&format!("batches of {size}"), &values(&preds), &together, 1e-5);
        assert_eq!(values(&targets), values(&ys));
    }
    let before = weights(learner.params());
    learner.validate().unwrap();
    assert_same_bits("validation changes nothing", &weights(learner.params()), &before);
}

/// From the fourth epoch on, climbs instead of descending, so that the network gets worse.
struct Spoil;

impl Callback for Spoil {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if state.epoch >= 3 {
            state.hypers.lr = vec![-0.01];
        }
        Ok(())
    }
}

#[test]
fn the_best_epoch_is_kept() {
    let mut spoilt = learner(1, 0).callback(Spoil);
    spoilt.fit(6, 3e-3).unwrap();
    let losses = spoilt.recorder().valid_losses();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(best < losses[5], "nothing to choose: {losses:?}");
    assert_ne!(spoilt.validate().unwrap().0, best);

    let mut kept = learner(1, 0).callback(Spoil).callback(SaveBest::new(Monitor::valid_loss()));
    kept.fit(6, 3e-3).unwrap();
    assert_eq!(kept.recorder().valid_losses(), losses);
    assert_eq!(kept.validate().unwrap().0, best);

    let mut highest = learner(1, 0).callback(Spoil).callback(SaveBest::new(Monitor::highest("accuracy")));
    highest.fit(6, 3e-3).unwrap();
    let accuracies = highest.recorder().metric(0);
    assert_eq!(highest.validate().unwrap().1[0], accuracies.iter().copied().fold(0.0, f64::max));

    let error = learner(1, 0).callback(SaveBest::new(Monitor::lowest("f1"))).fit(1, 0.1).unwrap_err().to_string();
    assert!(error.contains("`f1`") && error.contains("accuracy"), "{error}");
}

#[test]
fn training_stops_early() {
    let mut full = learner(1, 0).callback(Spoil);
    full.fit(9, 3e-3).unwrap();
    let losses = full.recorder().valid_losses();
    for patience in [1, 2, 3] {
        // Epochs until `patience` in a row were no better than the best so far.
        let (mut best, mut waited) = (f64::INFINITY, 0);
        let stop = losses.iter().position(|&loss| {
            if loss < best {
                (best, waited) = (loss, 0)
            } else {
                waited += 1
            }
            waited == patience
        });
        let mut stopped = learner(1, 0).callback(Spoil).callback(EarlyStopping::new(Monitor::valid_loss(), patience));
        stopped.fit(9, 3e-3).unwrap();
        assert_eq!(stopped.recorder().rows.len(), stop.map_or(9, |epoch| epoch + 1), "patience {patience}: {losses:?}");
        assert!(stop.is_some_and(|epoch| epoch < 8), "never stops: {losses:?}");
    }
}

/// Mixes each image with its neighbour and makes soft targets of the labels.
struct Mixup;

impl Callback for Mixup {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let (Some(xs), Some(ys)) = (&state.xs, &state.ys) else { panic!("no batch") };
        let (xs, ys) = mixed(xs, ys)?;
        (state.xs, state.ys) = (Some(xs), Some(ys));
        Ok(())
    }
}

fn mixed(xs: &Tensor, ys: &Tensor) -> Result<(Tensor, Tensor)> {
    let n = ys.elem_count() as u32;
    let one_hot =
        ys.unsqueeze(1)?.broadcast_eq(&Tensor::arange(0u32, 3, &Device::Cpu)?.unsqueeze(0)?)?.to_dtype(DType::F32)?;
    let neighbours = Tensor::new((0..n).map(|i| (i + 1) % n).collect::<Vec<_>>(), &Device::Cpu)?;
    let mix = |t: &Tensor| -> Result<Tensor> { Ok(((t * 0.7)? + (t.index_select(&neighbours, 0)? * 0.3)?)?) };
    Ok((mix(xs)?, mix(&one_hot)?))
}

fn soft_cross_entropy(logits: &Tensor, ys: &Tensor) -> Result<Tensor> {
    if ys.rank() == 1 {
        return cross_entropy(logits, ys);
    }
    Ok((candle_nn::ops::log_softmax(logits, 1)? * ys)?.sum(1)?.mean_all()?.neg()?)
}

#[test]
fn a_callback_may_replace_the_batch() {
    // Without dropout, so that the first loss can be computed beforehand.
    let make = || {
        let params = crate::common::params(1);
        (Sequential::new(&params).flatten().linear(36, 3).unwrap(), params)
    };
    let (twin, _) = make();
    let dls = loaders(1, 0);
    let batch = dls.train.one_batch().unwrap();
    let (xs, ys) = mixed(&batch.xs, &batch.ys).unwrap();
    let want = soft_cross_entropy(&twin.forward(&xs, true).unwrap(), &ys).unwrap();
    let (network, params) = make();
    let mut learner = Learner::new(dls, network, &params, soft_cross_entropy).metrics([accuracy()]).callback(Mixup);
    learner.fit(2, 0.01).unwrap();
    assert_close("first loss", &learner.recorder().losses[..1], &values(&want), 1e-6);
    assert_ne!(values(&want), values(&cross_entropy(&twin.forward(&batch.xs, true).unwrap(), &batch.ys).unwrap()));
    assert_eq!(learner.recorder().rows.len(), 2);
}

/// Spoils one batch with a value that is not a number.
struct NotANumber(usize, usize);

impl Callback for NotANumber {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if (state.epoch, state.batch) == (self.0, self.1) {
            state.xs = state.xs.as_ref().map(|xs| xs * f64::NAN).transpose()?;
        }
        Ok(())
    }
}

#[test]
fn a_loss_that_is_no_number_is_refused_with_its_place() {
    let mut learner = learner(1, 0).callback(NotANumber(1, 3));
    match learner.fit(3, 0.01).unwrap_err() {
        Error::Diverged { loss, epoch, batch } => assert!(loss.is_nan() && (epoch, batch) == (1, 3), "{epoch} {batch}"),
        other => panic!("{other}"),
    }
    assert_eq!((learner.recorder().rows.len(), learner.recorder().losses.len()), (1, 8));
    let parameters = learner.params().trainable();
    assert!(parameters.iter().all(|p| values(p.var()).iter().all(|v| v.is_finite())));
    let (network, params) = network(1);
    let dls = loaders(1, 0);
    let infinite = |preds: &Tensor, ys: &Tensor| Ok((cross_entropy(preds, ys)? + f64::INFINITY)?);
    let mut learner = Learner::new(dls, network, &params, infinite).opt(Sgd::new());
    assert!(matches!(learner.fit(1, 0.01), Err(Error::Diverged { epoch: 0, batch: 0, .. })));
    assert_eq!(weights(&params)[..4], weights(&crate::network(1).1)[..4]);
}

/// The first batch of each epoch.
struct FirstBatches(Arc<Mutex<Vec<Vec<f64>>>>);

impl Callback for FirstBatches {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if state.batch == 0 {
            self.0.lock().unwrap().extend(state.xs.as_ref().map(values));
        }
        Ok(())
    }
}

#[test]
fn a_fit_follows_its_schedule_and_shuffles_each_epoch() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut learner = learner(1, 0).callback(FirstBatches(seen.clone()));
    learner.fit_one_cycle(2, 0.01).unwrap();
    let cycle = tallow::optim::OneCycle::new(0.01);
    let at: Vec<_> = (0..10).map(|i| cycle.at(i as f64 / 10.0, 1)).collect();
    assert_eq!(learner.recorder().lrs, at.iter().map(|h| h.lr[0]).collect::<Vec<_>>());
    assert_eq!(learner.recorder().moms, at.iter().map(|h| h.mom.unwrap()).collect::<Vec<_>>());
    // A second fit smooths its losses anew and numbers its epochs from 0.
    learner.fit(1, 0.01).unwrap();
    let recorder = learner.recorder();
    assert_close("smoothed anew", &recorder.smooth_losses[10..11], &recorder.losses[10..11], 1e-12);
    assert_eq!(recorder.rows.iter().map(|row: &EpochRow| row.epoch).collect::<Vec<_>>(), [0, 1, 0]);
    // And sees its items in another order than the epochs before did.
    let first = seen.lock().unwrap();
    assert_eq!(first.len(), 3);
    assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
}
