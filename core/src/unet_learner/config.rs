//! The settings of a learner for segmentation.

use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use crate::models::hub::HubConfig;
use crate::nn::SegmentationLoss;
use crate::optim::{Adam, Optimizer};
use crate::train::{Callback, Checkpoints, Metric};
use crate::vision_learner::Pretrained;
use candle_core::Device;

/// The settings of a [`super::UnetLearner`] besides its data and its architecture. The default is fast.ai's: a
/// pretrained encoder, cross entropy, Adam; on the best device that this build and this machine have.
///
/// ```
/// use tallow::nn::{PixelLoss, SegmentationLoss};
/// use tallow::train::{jaccard_multi, pixel_accuracy};
/// use tallow::unet_learner::UnetConfig;
///
/// let void = Some(11);
/// let config = UnetConfig::default()
///     .metrics([pixel_accuracy(void), jaccard_multi(void)])
///     .loss(SegmentationLoss { of: PixelLoss::focal(), ..SegmentationLoss::default() });
/// ```
pub struct UnetConfig {
    pub(super) pretrained: Pretrained,
    pub(super) seed: Option<u64>,
    pub(super) device: Option<Device>,
    pub(super) hub: Option<HubConfig>,
    pub(super) loss: SegmentationLoss,
    pub(super) optimizer: Box<dyn Optimizer>,
    pub(super) metrics: Vec<Metric>,
    pub(super) train_metrics: bool,
    pub(super) callbacks: Vec<Box<dyn Callback>>,
    pub(super) listener: Listener,
    pub(super) checkpoints: Option<Checkpoints>,
    pub(super) fingerprint: Fingerprint,
}

impl Default for UnetConfig {
    fn default() -> UnetConfig {
        UnetConfig {
            pretrained: Pretrained::Default,
            seed: None,
            device: None,
            hub: None,
            loss: SegmentationLoss::default(),
            optimizer: Box::new(Adam::fastai()),
            metrics: Vec::new(),
            train_metrics: false,
            callbacks: Vec::new(),
            listener: Listener::default(),
            checkpoints: None,
            fingerprint: Fingerprint::default(),
        }
    }
}

impl UnetConfig {
    /// Sets the weights that the encoder begins with, those of a classifier; [`Pretrained::Default`] by default.
    #[must_use]
    pub fn pretrained(self, pretrained: Pretrained) -> UnetConfig {
        UnetConfig { pretrained, ..self }
    }

    /// Sets the seed of new weights; by default the seed of the data ([`crate::data::DataBlock::seed`]).
    #[must_use]
    pub fn seed(self, seed: u64) -> UnetConfig {
        UnetConfig { seed: Some(seed), ..self }
    }

    /// Sets the device; by default CUDA, Metal or the CPU, the first that this build and this machine have.
    #[must_use]
    pub fn device(self, device: &Device) -> UnetConfig {
        UnetConfig { device: Some(device.clone()), ..self }
    }

    /// Sets where published weights are looked for; by default what the environment says ([`HubConfig::from_env`]).
    #[must_use]
    pub fn hub(self, hub: HubConfig) -> UnetConfig {
        UnetConfig { hub: Some(hub), ..self }
    }

    /// Sets the loss; plain cross entropy by default. Where it names no void class, that of the data is void.
    #[must_use]
    pub fn loss(self, loss: SegmentationLoss) -> UnetConfig {
        UnetConfig { loss, ..self }
    }

    /// Sets the optimizer; [`Adam::fastai`] by default.
    #[must_use]
    pub fn opt(self, optimizer: impl Optimizer + 'static) -> UnetConfig {
        UnetConfig { optimizer: Box::new(optimizer), ..self }
    }

    /// Sets the metrics that are computed on the validation set after each epoch; none by default.
    #[must_use]
    pub fn metrics(self, metrics: impl IntoIterator<Item = Metric>) -> UnetConfig {
        UnetConfig { metrics: metrics.into_iter().collect(), ..self }
    }

    /// Computes the metrics of the training batches too ([`crate::train::Learner::train_metrics`]).
    #[must_use]
    pub fn train_metrics(self) -> UnetConfig {
        UnetConfig { train_metrics: true, ..self }
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(self, callback: impl Callback + 'static) -> UnetConfig {
        self.boxed_callback(Box::new(callback))
    }

    /// Adds a callback that is boxed already.
    #[must_use]
    pub fn boxed_callback(mut self, callback: Box<dyn Callback>) -> UnetConfig {
        self.callbacks.push(callback);
        self
    }

    /// Sets the receiver of progress, such as [`crate::cli::console`]; by default nothing is printed.
    #[must_use]
    pub fn listener(self, listener: Listener) -> UnetConfig {
        UnetConfig { listener, ..self }
    }

    /// Keeps checkpoints, and resumes from the last one if asked to ([`crate::train::Learner::checkpoints`]).
    #[must_use]
    pub fn checkpoints(self, checkpoints: Checkpoints) -> UnetConfig {
        UnetConfig { checkpoints: Some(checkpoints), ..self }
    }

    /// Says more of what shapes the run than data, network, weights and settings do, for its checkpoints
    /// ([`crate::train::Learner::fingerprint`]).
    #[must_use]
    pub fn fingerprint(self, more: Fingerprint) -> UnetConfig {
        UnetConfig { fingerprint: self.fingerprint.and("", more), ..self }
    }
}
