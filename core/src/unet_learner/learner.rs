//! The learner for segmentation.

use super::config::UnetConfig;
use super::network;
use super::recipe::{KIND, SegmenterRecipe};
use super::segmenter::Segmenter;
use crate::data::SegmentationDataLoaders;
use crate::error::{Error, Result};
use crate::models::weights::Recipe;
use crate::models::{Arch, DynamicUnet};
use crate::nn::SegmentationLoss;
use crate::train::Learner;
use crate::train::export::{self, Exported};
use candle_core::{Device, Tensor};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;

/// A [`Learner`] that knows what it learns from: pictures whose pixels are of named classes. fast.ai's `unet_learner`
/// makes the same. All that a plain learner does, training above all, it does by being one.
pub struct UnetLearner {
    learner: Learner,
    network: Arc<DynamicUnet>,
    dls: SegmentationDataLoaders,
    recipe: SegmenterRecipe,
    loss: SegmentationLoss,
    is_pretrained: bool,
    device: Device,
}

/// A learner for these pictures and masks: a U-Net on the architecture's body, pretrained unless the configuration says
/// otherwise, in fast.ai's parameter groups, with cross entropy as the loss, to which void pixels count nothing. A
/// pretrained encoder is frozen at first, and the pictures are normalised as its weights want. fast.ai's
/// `unet_learner`.
///
/// ```no_run
/// use tallow::data::{DataBlock, mask_beside, read_codes};
/// use tallow::train::{FineTune, pixel_accuracy};
/// use tallow::unet_learner::{Arch, UnetConfig, load_segmenter, unet_learner};
/// use tallow::vision::{Resize, aug_transforms};
///
/// # fn main() -> tallow::Result<()> {
/// let block = DataBlock::segmentation().label(mask_beside("labels", "_P")).codes(read_codes("camvid/codes.txt")?);
/// let block = block.void("Void").item_tfms([Resize::squish(0).size(120, 90)]).batch_tfms(aug_transforms());
/// let dls = block.dataloaders("camvid", 8)?;
/// let config = UnetConfig::default().metrics([pixel_accuracy(dls.void())]).listener(tallow::cli::console());
/// let mut learner = unet_learner(&dls, Arch::EfficientNetLite0, config)?;
/// learner.fine_tune(6, FineTune::default())?;
/// learner.export("model")?;
/// load_segmenter("model")?.predict_file("street.jpg")?.save("street_mask.png")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the architecture has no U-Net ([`Arch::encoder`]), the weights are not on this machine and cannot be fetched
/// ([`Error::Hub`]) or are not of this architecture, the loss does not fit the classes, or the device cannot hold it
/// all.
pub fn unet_learner(dls: &SegmentationDataLoaders, arch: Arch, config: UnetConfig) -> Result<UnetLearner> {
    let UnetConfig { pretrained, hub, loss, common } = config;
    let (device, seed) = common.device_and_seed(dls.seed());
    let loss = checked(loss, dls)?;
    // Before weights are fetched that nothing can be made of.
    arch.check_encoder()?;
    let weights = pretrained.open(arch, hub, &common.listener)?;
    let of_weights = weights.as_ref().map_or_else(|| Recipe::published(arch), |weights| weights.recipe(arch));
    let dls = prepared(dls, weights.is_some().then_some(&of_weights), &device)?;
    let params = network::params(seed, &device);
    let network = network::build(arch, dls.codes().len(), weights.as_ref(), &params)?;
    let network = Arc::new(network);
    let recipe = SegmenterRecipe { arch, tfms: dls.valid_tfms().clone(), weights: of_weights, void: dls.void() };
    let fingerprint = recipe.fingerprint(weights.as_ref()).with("loss", format!("{loss:?}"));
    let [of_batch, weight] = [loss.clone(), loss.clone()];
    let of_batch = move |scores: &Tensor, masks: &Tensor| of_batch.of(scores, masks);
    let learner = Learner::new(dls.loaders(), network.clone(), &params, of_batch);
    let mut learner = common.configure(learner.loss_weight(move |masks| weight.weight_of(masks)), fingerprint);
    let is_pretrained = weights.is_some();
    if is_pretrained {
        learner.freeze()?;
    }
    Ok(UnetLearner { learner, network, dls, recipe, loss, is_pretrained, device })
}

/// The loss with the data's void class, if it fits their classes.
fn checked(loss: SegmentationLoss, dls: &SegmentationDataLoaders) -> Result<SegmentationLoss> {
    let (n, void) = (dls.codes().len(), loss.void.or(dls.void()));
    if let Some(weights) = loss.weights.as_ref().filter(|weights| weights.len() != n) {
        let message =
            format!("{} class weights for the {n} codes {:?}: expected one for each", weights.len(), dls.codes());
        return Err(Error::config("loss", message));
    }
    if let Some(void) = void.filter(|&void| void as usize >= n) {
        return Err(Error::config("loss", format!("the void class {void} is none of the {n} codes (0 to n - 1)")));
    }
    Ok(SegmentationLoss { void, ..loss })
}

/// The loaders on the device, normalised as pretrained weights want.
fn prepared(
    dls: &SegmentationDataLoaders,
    recipe: Option<&Recipe>,
    device: &Device,
) -> Result<SegmentationDataLoaders> {
    let dls = dls.device(device)?;
    match recipe {
        Some(recipe) => dls.normalize(recipe.preprocess.normalize()),
        None => Ok(dls),
    }
}

impl UnetLearner {
    /// Replaces the loaders, for larger pictures or another batch size: fast.ai's `learn.dls = dls`. They are
    /// normalised and moved to the device as the first ones were, and exported models take their transforms.
    ///
    /// # Errors
    /// [`Error::Config`] when their classes are not the same.
    pub fn set_dls(&mut self, dls: &SegmentationDataLoaders) -> Result<()> {
        if (self.codes(), self.void()) != (dls.codes(), dls.void()) {
            let message = format!(
                "the learner tells the classes {:?} apart (void: {:?}), and the new loaders have {:?} (void: {:?})",
                self.codes(),
                self.void(),
                dls.codes(),
                dls.void()
            );
            return Err(Error::config("dls", message));
        }
        let dls = prepared(dls, self.is_pretrained.then_some(&self.recipe.weights), &self.device)?;
        self.learner.set_dls(dls.loaders());
        self.recipe.tfms = dls.valid_tfms().clone();
        self.dls = dls;
        Ok(())
    }

    /// The loaders, with the normalisation that the weights want.
    pub fn segmentation_dls(&self) -> &SegmentationDataLoaders {
        &self.dls
    }

    /// The network.
    pub fn network(&self) -> &Arc<DynamicUnet> {
        &self.network
    }

    /// The names of the classes of pixels, by number.
    pub fn codes(&self) -> &[String] {
        self.dls.codes()
    }

    /// The class of pixels that neither train nor count, if there is one.
    pub fn void(&self) -> Option<u32> {
        self.dls.void()
    }

    /// The loss, with its void class.
    pub fn loss(&self) -> &SegmentationLoss {
        &self.loss
    }

    /// A predictor for files, with the validation transforms and the classes' names. It shares the network with this
    /// learner, now and later.
    pub fn segmenter(&self) -> Segmenter {
        Segmenter::new(self.network.clone(), self.recipe.clone(), self.codes().to_vec(), &self.device)
    }

    /// Writes the trained network, its classes and its transforms to a folder for [`super::load_segmenter`], with the
    /// losses and metrics of the epoch that its weights are of. fast.ai's `export`; there is no code in it.
    ///
    /// # Errors
    /// When a weight is not a finite number, or a file cannot be written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let exported = Exported {
            kind: KIND.to_string(),
            recipe: self.recipe.to_json(folder)?,
            vocab: self.codes().to_vec(),
            metrics: self.learner.recorder().kept_metrics(),
            weights: self.learner.params().state_dict()?,
        };
        export::export(folder, &exported)
    }
}

impl Deref for UnetLearner {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for UnetLearner {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}
