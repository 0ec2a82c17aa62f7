//! A small training run with everything that has a memory: shuffling, batch norm, dropout, a metric.

use super::{formula_tensor, values};
use candle_core::{D, DType, Device, Tensor};
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Params, Sequential};
use tallow::rng::Rng;
use tallow::train::{Learner, Recorder, accuracy};

/// 37 images of 6 x 6 and labels of three classes that depend on them.
pub(crate) fn images() -> (Tensor, Tensor) {
    let xs = formula_tensor("images", &[37, 1, 6, 6]);
    let thirds = xs.reshape((37, 3, 12)).unwrap().mean(2).unwrap();
    (xs.to_dtype(DType::F32).unwrap(), thirds.argmax(D::Minus1).unwrap())
}

pub(crate) fn dataset() -> TensorDataset {
    let (xs, ys) = images();
    TensorDataset::new(&xs, &ys).unwrap()
}

/// Shuffled batches of 8, the last one of 5.
pub(crate) fn loaders(seed: u64, workers: usize) -> DataLoaders {
    let train = DataLoader::new(dataset(), 8).unwrap().shuffle(&Rng::new(seed).stream("data")).workers(workers);
    DataLoaders { train, valid: DataLoader::new(dataset(), 16).unwrap() }
}

/// Convolution, batch norm and dropout: all that has a memory of its own.
pub(crate) fn network(seed: u64) -> (Sequential, Params) {
    let params = Params::new(&Rng::new(seed), &Device::Cpu);
    let network = Sequential::new(&params).conv2d(1, 4, 3, 1, true).unwrap().batch_norm(4).unwrap().relu();
    (network.dropout(0.3).unwrap().flatten().dropout(0.1).unwrap().linear(4 * 36, 3).unwrap(), params)
}

/// A learner on all that, with the accuracy for a metric.
pub(crate) fn learner(seed: u64, workers: usize) -> Learner {
    let (network, params) = network(seed);
    Learner::new(loaders(seed, workers), network, &params, cross_entropy).metrics([accuracy()])
}

/// All weights and running statistics, one after the other.
pub(crate) fn weights(params: &Params) -> Vec<f64> {
    params.all().iter().flat_map(|p| values(p.var())).collect()
}

/// All that a recorder holds but the times.
pub(crate) fn written(recorder: &Recorder) -> Vec<f64> {
    let rows = recorder.rows.iter().flat_map(|row| {
        [row.fit as f64, row.epoch as f64, row.train_loss, row.valid_loss]
            .into_iter()
            .chain(row.metrics.iter().copied())
    });
    let batches = [&recorder.losses, &recorder.smooth_losses, &recorder.lrs, &recorder.moms];
    rows.chain(batches.into_iter().flatten().copied()).collect()
}
