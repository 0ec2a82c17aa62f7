//! The learner for images.

use super::config::{HeadKind, VisionConfig};
use super::network;
use super::predictor::Predictor;
use super::recipe::ImageRecipe;
use super::strangers::Strangers;
use crate::data::{ImageDataLoaders, ImageLoader};
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use crate::models::weights::Recipe;
use crate::models::{Arch, FeaturesOf, HeadOf, Network};
use crate::nn::Params;
use crate::nn::losses::{CrossEntropy, bce_with_logits};
use crate::optim::{Lrs, Schedule};
use crate::rng::Rng;
use crate::train::export::{self, Exported};
use crate::train::{FineTune, Learner, LrFind, LrFindConfig, Recorder, cache_features_among};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A [`Learner`] that knows what it learns from: images of named classes. fast.ai's `vision_learner` makes the same.
pub struct VisionLearner {
    learner: Learner,
    pub(super) network: Arc<Network>,
    pub(super) dls: ImageDataLoaders,
    pub(super) recipe: ImageRecipe,
    pub(super) strangers: Option<Arc<Strangers>>,
    /// Network, weights and loss, for checkpoints.
    fingerprint: Fingerprint,
    /// None where an image may show several classes.
    loss: Option<CrossEntropy>,
    is_pretrained: bool,
    device: Device,
    pub(super) seed: u64,
    pub(super) listener: Listener,
}

/// A learner for these images: the architecture's body, pretrained unless the configuration says otherwise, with a new
/// head, in fast.ai's parameter groups, cross entropy as the loss. A pretrained body is frozen at first, and the images
/// are normalised as its weights want. fast.ai's `vision_learner`; unlike there, a VGG without batch norm is normalised
/// too.
///
/// ```no_run
/// use tallow::data::DataBlock;
/// use tallow::train::{FineTune, accuracy};
/// use tallow::vision::{Resize, aug_transforms};
/// use tallow::vision_learner::{Arch, VisionConfig, load_learner, vision_learner};
///
/// # fn main() -> tallow::Result<()> {
/// let block = DataBlock::images().item_tfms([Resize::squish(192)]).batch_tfms(aug_transforms());
/// let dls = block.dataloaders("pets", 32)?;
/// let config = VisionConfig::default().metrics([accuracy()]).listener(tallow::cli::console());
/// let mut learner = vision_learner(&dls, Arch::ResNet18, config)?;
/// learner.fine_tune(3, FineTune::default())?;
/// learner.export("model")?;
/// println!("{}", load_learner("model")?.predict_file("photo.jpg")?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the weights are not on this machine and cannot be fetched ([`Error::Hub`]), are not of this architecture, or
/// the device cannot hold them.
pub fn vision_learner(dls: &ImageDataLoaders, arch: Arch, config: VisionConfig) -> Result<VisionLearner> {
    let VisionConfig { pretrained, head, hub, threshold, loss, common } = config;
    let (device, seed) = common.device_and_seed(dls.seed());
    let listener = common.listener.clone();
    let weights = pretrained.open(arch, hub, &listener)?;
    let weights_recipe = weights.as_ref().map_or_else(|| Recipe::published(arch), |weights| weights.recipe(arch));
    let dls = prepared(dls, weights.is_some().then_some(&weights_recipe), &device)?;

    let params = network::params(seed, &device);
    let rng = Rng::new(seed).stream("head");
    let (n_classes, norm_eps) = (dls.n_classes(), weights_recipe.norm_eps);
    let network = Arc::new(network::build(arch, head, n_classes, norm_eps, weights.as_ref(), &params, &rng)?);
    network.split_groups(&params)?;
    let threshold = dls.is_multi_label().then_some(threshold);
    let recipe = ImageRecipe {
        arch,
        head,
        tfms: dls.valid_tfms().clone(),
        weights: weights_recipe,
        threshold,
        temperature: None,
    };
    let loss = chosen_loss(dls.is_multi_label(), loss)?;
    let of_network = recipe.fingerprint(weights.as_ref()).with("loss", format!("{loss:?}"));
    let fingerprint = of_network.clone().and("", common.fingerprint.clone());
    let learner = weighed(Learner::new(dls.loaders(), network.clone(), &params, loss_fn(&loss)), &loss);
    let mut learner = common.configure(learner, of_network);
    let is_pretrained = weights.is_some();
    if is_pretrained {
        learner.freeze()?;
    }
    let strangers = None;
    Ok(VisionLearner {
        learner,
        network,
        dls,
        recipe,
        strangers,
        fingerprint,
        loss,
        is_pretrained,
        device,
        seed,
        listener,
    })
}

/// Cross entropy as it was asked for; none where an image may show several classes.
fn chosen_loss(is_multi_label: bool, loss: CrossEntropy) -> Result<Option<CrossEntropy>> {
    match is_multi_label {
        false => Ok(Some(loss)),
        true if loss == CrossEntropy::default() => Ok(None),
        true => {
            let message = "weights of classes and smoothed labels are for images of one class each";
            Err(Error::config("loss", message))
        }
    }
}

/// Cross entropy, or where an image may show several classes binary cross entropy, class by class.
fn loss_fn(loss: &Option<CrossEntropy>) -> impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static {
    let loss = loss.clone();
    move |scores, targets| match &loss {
        Some(loss) => loss.of(scores, targets),
        None => bce_with_logits(scores, targets),
    }
}

/// The learner, with the weight of each batch in the validation loss.
fn weighed(learner: Learner, loss: &Option<CrossEntropy>) -> Learner {
    match loss.clone() {
        Some(loss) => learner.loss_weight(move |targets| loss.weight_of(targets)),
        None => learner,
    }
}

/// The loaders on the device, normalised as pretrained weights want.
fn prepared(dls: &ImageDataLoaders, recipe: Option<&Recipe>, device: &Device) -> Result<ImageDataLoaders> {
    let dls = dls.device(device)?;
    match recipe {
        Some(recipe) => dls.normalize(recipe.preprocess.normalize()),
        None => Ok(dls),
    }
}

impl VisionLearner {
    /// Transfer learning in one call ([`Learner::fine_tune`]).
    ///
    /// # Errors
    /// When an image cannot be read, the loss stops being a number, a checkpoint cannot be written, or a stop is asked
    /// for.
    pub fn fine_tune(&mut self, n_epochs: usize, config: impl Into<FineTune>) -> Result<()> {
        self.learner.fine_tune(n_epochs, config)
    }

    /// Trains at constant learning rates ([`Learner::fit`]).
    ///
    /// # Errors
    /// As [`VisionLearner::fine_tune`].
    pub fn fit(&mut self, n_epochs: usize, lr: impl Into<Lrs>) -> Result<()> {
        self.learner.fit(n_epochs, lr)
    }

    /// Trains by the one-cycle policy ([`Learner::fit_one_cycle`]).
    ///
    /// # Errors
    /// As [`VisionLearner::fine_tune`].
    pub fn fit_one_cycle(&mut self, n_epochs: usize, lr_max: impl Into<Lrs>) -> Result<()> {
        self.learner.fit_one_cycle(n_epochs, lr_max)
    }

    /// Trains by any schedule ([`Learner::fit_schedule`]).
    ///
    /// # Errors
    /// As [`VisionLearner::fine_tune`].
    pub fn fit_schedule(&mut self, n_epochs: usize, schedule: &dyn Schedule) -> Result<()> {
        self.learner.fit_schedule(n_epochs, schedule)
    }

    /// Searches for a learning rate ([`Learner::lr_find`]).
    ///
    /// # Errors
    /// As [`VisionLearner::fine_tune`].
    pub fn lr_find(&mut self, config: &LrFindConfig) -> Result<LrFind> {
        self.learner.lr_find(config)
    }

    /// Freezes all groups of parameters but the last, the head ([`Learner::freeze`]).
    ///
    /// # Errors
    /// When the optimizer cannot be emptied.
    pub fn freeze(&mut self) -> Result<()> {
        self.learner.freeze()
    }

    /// Freezes the groups before number `group` ([`Learner::freeze_to`]).
    ///
    /// # Errors
    /// When there is no such group.
    pub fn freeze_to(&mut self, group: isize) -> Result<()> {
        self.learner.freeze_to(group)
    }

    /// Trains all groups ([`Learner::unfreeze`]).
    ///
    /// # Errors
    /// When the optimizer cannot be emptied.
    pub fn unfreeze(&mut self) -> Result<()> {
        self.learner.unfreeze()
    }

    /// Trains the named parts of the network and freezes all else ([`Learner::train_only`]).
    ///
    /// # Errors
    /// When there is no such part.
    pub fn train_only(&mut self, parts: &[&str]) -> Result<()> {
        self.learner.train_only(parts)
    }

    /// Loss and metrics on the validation set ([`Learner::validate`]).
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn validate(&self) -> Result<(f64, Vec<f64>)> {
        self.learner.validate()
    }

    /// Scores `[N, classes]` and labels `[N]` of all images of a loader, in its order ([`Learner::get_preds`]).
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn get_preds(&self, loader: &ImageLoader) -> Result<(Tensor, Tensor)> {
        self.learner.get_preds(loader.loader())
    }

    /// Losses, learning rates and metrics so far.
    pub fn recorder(&self) -> &Recorder {
        self.learner.recorder()
    }

    /// The network's parameters.
    pub fn params(&self) -> &Params {
        self.learner.params()
    }

    /// The plain learner, for what only reads it.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// Replaces the loaders, for larger images or another batch size: fast.ai's `learn.dls = dls`. They are normalised
    /// and moved to the device as the first ones were, and exported models take their transforms.
    ///
    /// # Errors
    /// [`Error::Config`] when their classes are not the same.
    pub fn set_dls(&mut self, dls: &ImageDataLoaders) -> Result<()> {
        let (old, new) = (self.vocab(), dls.vocab().classes());
        if old != new {
            let message = format!("the learner tells the classes {old:?} apart, and the new loaders have {new:?}");
            return Err(Error::config("dls", message));
        }
        if self.dls.is_multi_label() != dls.is_multi_label() {
            let message =
                "either the learner's images or those of the new loaders may have several classes, but not both";
            return Err(Error::config("dls", message));
        }
        let dls = prepared(dls, self.is_pretrained.then_some(&self.recipe.weights), &self.device)?;
        self.learner.set_dls(dls.loaders());
        self.recipe.tfms = dls.valid_tfms().clone();
        self.dls = dls;
        Ok(())
    }

    /// Writes the network's tensors to a safetensors file ([`Learner::save`]).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.learner.save(path)
    }

    /// Reads the network's tensors from a safetensors file ([`Learner::load`]).
    ///
    /// # Errors
    /// When the file is damaged or its tensors are not those of this network; then nothing is changed.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.learner.load(path)
    }

    /// Whether the body's batch normalisations keep the statistics of the photos that it was pretrained on
    /// ([`crate::nn::Params::freeze_batch_norm`]). A head that has learnt on cached features
    /// ([`VisionLearner::head_learner`]) has seen a body that does; training on with statistics of the batch would
    /// begin with another body.
    pub fn freeze_body_batch_norm(&self, fixed: bool) {
        let (params, heads) = (self.learner.params(), self.network.head_prefixes());
        for child in params.children().iter().filter(|child| !heads.contains(child)) {
            params.pp(child).freeze_batch_norm(fixed);
        }
    }

    /// The loaders, with the normalisation that the weights want.
    pub fn image_dls(&self) -> &ImageDataLoaders {
        &self.dls
    }

    /// The network, body and head.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Where an image may show several classes, the probability from which on it is said to show one
    /// ([`VisionConfig::threshold`]).
    pub fn threshold(&self) -> Option<f64> {
        self.recipe.threshold
    }

    /// The names of the classes.
    pub fn vocab(&self) -> &[String] {
        self.dls.vocab().classes()
    }

    /// What the head's parameters' names start with: `head`, or `fc`, `classifier`, `_fc` where it is the published
    /// one.
    pub fn head_name(&self) -> &str {
        &self.network.head_prefixes()[0]
    }

    /// A learner for the head alone, on features that the body makes once of every picture
    /// ([`cache_features`](crate::train::cache_features)): the fast way to train with a frozen body. The head is this
    /// learner's own; what it learns is learnt here too.
    ///
    /// The training pictures come **as in validation**, without augmentation, and with the weights that they are drawn
    /// by ([`ImageDataLoaders::weighted`]); the loss is this learner's.
    ///
    /// # Errors
    /// When a picture cannot be read, or shapes do not fit.
    pub fn head_learner(&self, batch_size: usize) -> Result<Learner> {
        let plain = self.dls.without_augmentation()?.loaders();
        let body = FeaturesOf(self.network.clone());
        let rng = Rng::new(self.seed).stream("features");
        let mut features = cache_features_among(self.learner.world(), &body, &plain, batch_size, &rng, &self.listener)?;
        if let Some(weights) = self.dls.train.kept_weights() {
            features.train = features.train.weighted(&weights, &rng)?;
        }
        let head = self.learner.params().pp(self.head_name());
        let head = Learner::new(features, HeadOf(self.network.clone()), &head, loss_fn(&self.loss));
        let head = weighed(head, &self.loss);
        let head = match self.learner.world() {
            Some(world) => head.distributed(world),
            None => head,
        };
        Ok(head.listener(self.listener.clone()).fingerprint(self.fingerprint.clone()))
    }

    /// Probabilities `[N, classes]` and classes `[N]` of the validation pictures, from `n` augmented views of each and
    /// the plain one: a share of `beta` for the plain one, the rest for the views' mean. fast.ai's `tta`, whose
    /// defaults are 4 and 0.25.
    ///
    /// # Errors
    /// When `n` is 0, a picture cannot be read, or shapes do not fit.
    pub fn tta(&self, n: usize, beta: f64) -> Result<(Tensor, Tensor)> {
        if n == 0 {
            let message = "test-time augmentation needs at least one augmented view: n = 4, say";
            return Err(Error::config("n", message));
        }
        let augmented = self.dls.augmented_valid()?;
        let views: Result<Vec<Tensor>> = (0..n).map(|view| Ok(self.probabilities(&augmented, view)?.0)).collect();
        let mean = Tensor::stack(&views?, 0)?.mean(0)?; // [N, classes]
        let (plain, ys) = self.probabilities(&self.dls.valid, 0)?;
        Ok((((mean * (1.0 - beta))? + (plain * beta)?)?, ys))
    }

    fn probabilities(&self, loader: &ImageLoader, epoch: usize) -> Result<(Tensor, Tensor)> {
        let (mut probabilities, mut ys) = (Vec::new(), Vec::new());
        for batch in loader.epoch(epoch) {
            let batch = batch?;
            probabilities.push(self.recipe.probabilities(&self.learner.predict(&batch.xs)?)?);
            ys.push(batch.ys);
        }
        Ok((Tensor::cat(&probabilities, 0)?, Tensor::cat(&ys, 0)?))
    }

    /// A predictor for files, with the validation transforms and the classes' names. It shares the network with this
    /// learner, now and later.
    pub fn predictor(&self) -> Predictor {
        let predictor = Predictor::new(self.network.clone(), self.recipe.clone(), self.vocab().to_vec(), &self.device);
        predictor.strangers(self.strangers.clone())
    }

    /// Writes the trained network, its classes and its transforms to a folder for [`super::load_learner`], with the
    /// losses and metrics of the epoch that its weights are of ([`Recorder::kept_row`]). fast.ai's `export`; there is
    /// no code in it.
    ///
    /// # Errors
    /// When a weight is not a finite number, or a file cannot be written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<()> {
        self.export_with(folder, self.learner.recorder().kept_metrics())
    }

    /// [`VisionLearner::export`] with other figures, such as those of a head that was trained by itself.
    ///
    /// # Errors
    /// As [`VisionLearner::export`].
    pub fn export_with(&self, folder: impl AsRef<Path>, metrics: BTreeMap<String, f64>) -> Result<()> {
        let folder = folder.as_ref();
        let strangers = self.strangers.as_deref();
        let mut weights = self.params().state_dict()?;
        weights.extend(strangers.map(Strangers::tensor).transpose()?);
        let exported = Exported {
            kind: self.recipe.kind().to_string(),
            recipe: self.recipe.to_json(folder, strangers.map(Strangers::notes))?,
            vocab: self.vocab().to_vec(),
            metrics,
            weights,
        };
        export::export(folder, &exported)
    }

    /// Which head the network has.
    pub fn head_kind(&self) -> HeadKind {
        self.recipe.head
    }
}
