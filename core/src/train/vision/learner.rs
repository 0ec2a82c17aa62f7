//! The learner for pictures.

use super::network::{self, HeadKind, VisionConfig};
use super::predictor::{Predictor, Recipe};
use crate::data::{DataLoader, ImageDataLoaders};
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::models::{Arch, FeaturesOf, HeadOf, Network};
use crate::nn::losses::cross_entropy;
use crate::optim::Optimizer;
use crate::rng::Rng;
use crate::train::export::{self, Exported};
use crate::train::features::cache_features;
use crate::train::{Callback, Checkpoints, Learner, Metric};
use candle_core::{D, Device, Tensor};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;

/// A [`Learner`] that knows what it learns from: pictures of named classes. It can do all that one can. fast.ai's
/// `vision_learner` makes the same.
pub struct VisionLearner {
    learner: Learner,
    network: Arc<Network>,
    dls: ImageDataLoaders,
    recipe: Recipe,
    device: Device,
    seed: u64,
    listener: Listener,
}

/// A learner for these pictures: the architecture's body, pretrained if weights are given, with a new head, in fast.ai's
/// parameter groups, cross entropy as the loss. A pretrained body is frozen at first, and the pictures are normalised as its
/// weights want. fast.ai's `vision_learner`; unlike there, a VGG without batch norm is normalised too.
///
/// ```no_run
/// use tallow::data::DataBlock;
/// use tallow::models::{Arch, weights::Weights};
/// use tallow::train::{FineTune, VisionConfig, accuracy, load_learner, vision_learner};
/// use tallow::vision::{Resize, aug_transforms};
/// # use candle_core::Device;
///
/// # fn main() -> tallow::Result<()> {
/// let block = DataBlock::images().item_tfms([Resize::squish(192)]).batch_tfms(aug_transforms());
/// let dls = block.dataloaders("pets".as_ref(), 32)?;
/// let weights = Weights::open("resnet18.safetensors")?;
/// let mut learner = vision_learner(&dls, Arch::ResNet18, &VisionConfig::pretrained(&weights), &Device::Cpu)?;
/// learner = learner.metrics([accuracy]);
/// learner.fine_tune(3, FineTune::default())?;
/// learner.export("model".as_ref())?;
/// let prediction = load_learner("model".as_ref(), &Device::Cpu)?.predict_file("photo.jpg".as_ref())?;
/// println!("{}: {:.3}", prediction.class, prediction.probability);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the weights are not of this architecture, or the device cannot hold them.
pub fn vision_learner(
    dls: &ImageDataLoaders,
    arch: Arch,
    config: &VisionConfig,
    device: &Device,
) -> Result<VisionLearner> {
    let mut dls = dls.device(device)?;
    if config.weights.is_some() {
        dls = dls.normalize(network::normalization(arch))?;
    }
    let params = network::params(config.seed, device);
    let network = Arc::new(network::build(
        arch,
        config.head,
        dls.n_classes(),
        config.weights,
        &params,
        &Rng::new(config.seed).stream("head"),
    )?);
    network.split_groups(&params)?;
    let mut learner = Learner::new(dls.loaders(), network.clone(), &params, cross_entropy);
    if config.weights.is_some() {
        learner.freeze()?;
    }
    let recipe =
        Recipe { arch, head: config.head, vocab: dls.vocab().classes().to_vec(), tfms: dls.valid_tfms().clone() };
    let (device, seed) = (device.clone(), config.seed);
    Ok(VisionLearner { learner, network, dls, recipe, device, seed, listener: Listener::default() })
}

impl VisionLearner {
    /// Another optimizer.
    #[must_use]
    pub fn opt(self, optimizer: impl Optimizer + 'static) -> VisionLearner {
        VisionLearner { learner: self.learner.opt(optimizer), ..self }
    }

    /// Numbers to judge by after each epoch.
    #[must_use]
    pub fn metrics(self, metrics: impl IntoIterator<Item = impl Into<Metric>>) -> VisionLearner {
        VisionLearner { learner: self.learner.metrics(metrics), ..self }
    }

    /// Metrics of the training batches too ([`Learner::train_metrics`]).
    #[must_use]
    pub fn train_metrics(self) -> VisionLearner {
        VisionLearner { learner: self.learner.train_metrics(), ..self }
    }

    /// Keeps checkpoints ([`Learner::checkpoints`]). Set this last, after freezing too.
    ///
    /// # Errors
    /// As there.
    pub fn checkpoints(self, config: Checkpoints) -> Result<VisionLearner> {
        Ok(VisionLearner { learner: self.learner.checkpoints(config)?, ..self })
    }

    /// Whether the body's batch normalisations keep the statistics of the photos that it was pretrained on
    /// ([`crate::nn::Params::freeze_batch_norm`]). A head that has learnt on cached features ([`VisionLearner::head_learner`]) has
    /// seen a body that does; training on with statistics of the batch would begin with another body.
    pub fn freeze_body_batch_norm(&self, fixed: bool) {
        let (params, heads) = (self.learner.params(), self.network.head_prefixes());
        for child in params.children().iter().filter(|child| !heads.contains(child)) {
            params.pp(child).freeze_batch_norm(fixed);
        }
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(self, callback: impl Callback + 'static) -> VisionLearner {
        VisionLearner { learner: self.learner.callback(callback), ..self }
    }

    /// Who is told of the progress.
    #[must_use]
    pub fn listener(self, listener: Listener) -> VisionLearner {
        VisionLearner { learner: self.learner.listener(listener.clone()), listener, ..self }
    }

    /// The loaders, with the normalisation that the weights want.
    pub fn image_dls(&self) -> &ImageDataLoaders {
        &self.dls
    }

    /// The network, body and head.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The names of the classes.
    pub fn vocab(&self) -> &[String] {
        &self.recipe.vocab
    }

    /// What the head's parameters' names start with: `head`, or `fc`, `classifier`, `_fc` where it is the published one.
    pub fn head_name(&self) -> &str {
        &self.network.head_prefixes()[0]
    }

    /// A learner for the head alone, on features that the body makes once of every picture (see [`cache_features`]): the
    /// fast way to train with a frozen body. The head is this learner's own; what it learns is learnt here too.
    ///
    /// The training pictures come **as in validation**, without augmentation.
    ///
    /// # Errors
    /// When a picture cannot be read, or shapes do not fit.
    pub fn head_learner(&self, batch_size: usize) -> Result<Learner> {
        let plain = self.dls.without_augmentation()?.loaders();
        let body = FeaturesOf(self.network.clone());
        let rng = Rng::new(self.seed).stream("features");
        let features = cache_features(&body, &plain, batch_size, &rng, &self.listener)?;
        let head = self.learner.params().pp(self.head_name());
        Ok(Learner::new(features, HeadOf(self.network.clone()), &head, cross_entropy).listener(self.listener.clone()))
    }

    /// Probabilities `[N, classes]` and classes `[N]` of the validation pictures, from `n` augmented views of each and the
    /// plain one: a share of `beta` for the plain one, the rest for the views' mean. fast.ai's `tta`, whose defaults are 4
    /// and 0.25.
    ///
    /// # Errors
    /// When `n` is 0, a picture cannot be read, or shapes do not fit.
    pub fn tta(&self, n: usize, beta: f64) -> Result<(Tensor, Tensor)> {
        if n == 0 {
            return Err(Error::Value("test-time augmentation needs at least one augmented view: n = 4, say".into()));
        }
        let augmented = self.dls.augmented_valid()?;
        let views: Result<Vec<Tensor>> = (0..n).map(|view| Ok(self.probabilities(&augmented, view)?.0)).collect();
        let mean = Tensor::stack(&views?, 0)?.mean(0)?; // [N, classes]
        let (plain, ys) = self.probabilities(&self.dls.valid, 0)?;
        Ok((((mean * (1.0 - beta))? + (plain * beta)?)?, ys))
    }

    fn probabilities(&self, loader: &DataLoader, epoch: usize) -> Result<(Tensor, Tensor)> {
        let (mut probabilities, mut ys) = (Vec::new(), Vec::new());
        for batch in loader.epoch(epoch) {
            let batch = batch?;
            probabilities.push(candle_nn::ops::softmax(&self.learner.predict(&batch.xs)?, D::Minus1)?);
            ys.push(batch.ys);
        }
        Ok((Tensor::cat(&probabilities, 0)?, Tensor::cat(&ys, 0)?))
    }

    /// What predicts for files: the network as it is now, and as it becomes, with the validation transforms and the names.
    pub fn predictor(&self) -> Predictor {
        Predictor::new(self.network.clone(), self.recipe.clone(), &self.device)
    }

    /// Writes the trained network, its classes and its transforms to a folder for [`super::load_learner`], with what the
    /// last epoch measured. fast.ai's `export`; there is no code in it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn export(&self, folder: &Path) -> Result<()> {
        let recorder = self.learner.recorder();
        let mut metrics = BTreeMap::new();
        if let Some(row) = recorder.rows.last() {
            metrics.insert("valid_loss".to_string(), row.valid_loss);
            metrics.extend(recorder.metric_names.iter().cloned().zip(row.metrics.iter().copied()));
        }
        self.export_with(folder, metrics)
    }

    /// The same with figures of one's own, such as those of a head that was trained by itself.
    ///
    /// # Errors
    /// As [`VisionLearner::export`].
    pub fn export_with(&self, folder: &Path, metrics: BTreeMap<String, f64>) -> Result<()> {
        let Recipe { arch, head, vocab, tfms } = &self.recipe;
        let json = |e: serde_json::Error| Error::file(folder, format!("cannot be described in JSON: {e}"));
        let exported = Exported {
            arch: arch.name().to_string(),
            build: serde_json::json!({ "head": serde_json::to_value(head).map_err(json)? }),
            vocab: vocab.clone(),
            transforms: serde_json::to_value(tfms).map_err(json)?,
            metrics,
            weights: self.learner.params().state_dict()?,
        };
        export::export(folder, &exported)
    }

    /// Which head the network has.
    pub fn head_kind(&self) -> HeadKind {
        self.recipe.head
    }
}

impl Deref for VisionLearner {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for VisionLearner {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}
