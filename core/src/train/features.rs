//! Features of a frozen body, computed once.

use crate::collective::{Share, World};
use crate::data::{DataLoader, DataLoaders, TensorDataset};
use crate::error::Result;
use crate::event::Listener;
use crate::kernels;
use crate::nn::Module;
use crate::rng::Rng;
use candle_core::Tensor;

/// Computes the features of all items with a frozen body, once, and returns loaders of them to train a head with. An
/// epoch of the head then takes milliseconds where an epoch of the whole network takes minutes.
///
/// The training set must come **without augmentation**, since every epoch gets the features of the one form in which
/// each item was seen. The body runs in evaluation mode: its normalisation layers use their running statistics, and
/// neither these nor their scales are trained, as they are in fast.ai's frozen phase.
///
/// ```
/// use std::sync::Arc;
/// use tallow::candle::Device;
/// use tallow::data::{DataLoader, DataLoaders, TensorDataset};
/// use tallow::event::Listener;
/// use tallow::models::{Arch, FeaturesOf, HeadOf};
/// use tallow::nn::{Params, losses::cross_entropy};
/// use tallow::rng::Rng;
/// use tallow::train::{Learner, cache_features};
/// # use tallow::candle::Tensor;
/// # fn main() -> tallow::Result<()> {
/// # let rng = Rng::new(1);
/// # let xs = rng.stream("x").randn((4, 3, 32, 32), 1.0, &Device::Cpu)?;
/// # let ys = Tensor::new(&[0u32, 1, 0, 1], &Device::Cpu)?;
/// # let loader = DataLoader::new(TensorDataset::new(&xs, &ys)?, 2)?;
/// # let dls = DataLoaders { train: loader.clone(), valid: loader };
/// let params = Params::new(&rng, &Device::Cpu);
/// let network = Arc::new(Arch::ResNet18.build(2, &params)?); // load weights into `params` here
/// let features = cache_features(&FeaturesOf(network.clone()), &dls, 64, &rng, &Listener::default())?;
/// let mut head = Learner::new(features, HeadOf(network.clone()), &params.pp("fc"), cross_entropy);
/// head.fit_one_cycle(5, 1e-2)?;
/// let whole = Learner::new(dls, network, &params, cross_entropy); // body and trained head, one network again
/// # whole.validate()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When an item cannot be read, shapes do not fit, or a stop is requested.
pub fn cache_features(
    body: &dyn Module,
    dls: &DataLoaders,
    batch_size: usize,
    rng: &Rng,
    listener: &Listener,
) -> Result<DataLoaders> {
    cache_features_among(None, body, dls, batch_size, rng, listener)
}

/// [`cache_features`] of several processes, which all get all of them.
pub(crate) fn cache_features_among(
    world: Option<&World>,
    body: &dyn Module,
    dls: &DataLoaders,
    batch_size: usize,
    rng: &Rng,
    listener: &Listener,
) -> Result<DataLoaders> {
    let train = DataLoader::new(features_among(world, body, &dls.train, listener)?, batch_size)?;
    let valid = DataLoader::new(features_among(world, body, &dls.valid, listener)?, batch_size)?;
    Ok(DataLoaders { train: train.shuffle(rng).drop_last_of_one(), valid })
}

/// Computes the features of all items of a loader, and returns them with the targets in the dataset's order, whatever
/// the loader's order ([`cache_features`]).
///
/// # Errors
/// When an item cannot be read, shapes do not fit, or a stop is requested.
pub fn features(body: &dyn Module, loader: &DataLoader, listener: &Listener) -> Result<TensorDataset> {
    features_among(None, body, loader, listener)
}

fn features_among(
    world: Option<&World>,
    body: &dyn Module,
    loader: &DataLoader,
    listener: &Listener,
) -> Result<TensorDataset> {
    let loader = loader.clone().in_order();
    let mine = match world {
        Some(world) => loader.clone().share(world.rank(), world.size()),
        None => loader.clone(),
    };
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    let task = listener.task("features", loader.n_batches());
    for (number, batch) in mine.epoch(0).enumerate() {
        let batch = batch?;
        listener.stop_if_interrupted()?;
        let found = kernels::no_grad(|| body.forward(&batch.xs, false))?.detach();
        match world.map(|world| Share::new(world, loader.batch_len(number))) {
            None => {
                xs.push(found);
                ys.push(batch.ys);
            }
            Some(share) => {
                let n = if share.counts { found.dim(0)? } else { 0 };
                xs.push(share.world.gather_rows(&found, n)?);
                ys.push(share.world.gather_rows(&batch.ys, n)?);
            }
        }
        task.progress(xs.len(), "");
    }
    drop(task);
    Ok(TensorDataset::new(&Tensor::cat(&xs, 0)?, &Tensor::cat(&ys, 0)?)?.made_of(&loader))
}
