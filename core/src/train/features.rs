//! Features of a frozen body, computed once.

use crate::data::{DataLoader, DataLoaders, TensorDataset};
use crate::error::Result;
use crate::event::Listener;
use crate::kernels;
use crate::nn::Module;
use crate::rng::Rng;
use candle_core::Tensor;

/// What a body that does not train makes of all items, once, as loaders to train a head with. An epoch of the head then
/// takes milliseconds where an epoch of the whole network takes minutes.
///
/// This is honest only where the body would make the same of an item every time. So the training set must come
/// **without augmentation** (each item is seen once, in one form, and that form is what every epoch of the head gets),
/// and the body runs in eval mode: its normalisation layers use their running statistics, and neither these nor their
/// scales move, while in fast.ai's frozen phase they do.
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
/// When an item cannot be read, shapes do not fit, or a stop is asked for.
pub fn cache_features(
    body: &dyn Module,
    dls: &DataLoaders,
    batch_size: usize,
    rng: &Rng,
    listener: &Listener,
) -> Result<DataLoaders> {
    let train = DataLoader::new(features(body, &dls.train, listener)?, batch_size)?;
    let valid = DataLoader::new(features(body, &dls.valid, listener)?, batch_size)?;
    Ok(DataLoaders { train: train.shuffle(rng).drop_last_of_one(), valid })
}

/// The features and targets of all items of a loader in the dataset's order, whatever order the loader has; see
/// [`cache_features`].
///
/// # Errors
/// When an item cannot be read, shapes do not fit, or a stop is asked for.
pub fn features(body: &dyn Module, loader: &DataLoader, listener: &Listener) -> Result<TensorDataset> {
    let loader = loader.clone().in_order();
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    let task = listener.task("features", loader.n_batches());
    for batch in loader.epoch(0) {
        let batch = batch?;
        listener.stop_if_interrupted()?;
        xs.push(kernels::no_grad(|| body.forward(&batch.xs, false))?.detach());
        ys.push(batch.ys);
        task.progress(xs.len(), "");
    }
    drop(task);
    Ok(TensorDataset::new(&Tensor::cat(&xs, 0)?, &Tensor::cat(&ys, 0)?)?.made_of(&loader))
}
