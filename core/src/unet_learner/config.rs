//! The settings of a learner for segmentation.

use crate::models::hub::HubConfig;
use crate::nn::SegmentationLoss;
use crate::train::{LearnerSettings, image_settings, learner_settings};
use crate::vision_learner::Pretrained;

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
    pub(super) hub: Option<HubConfig>,
    pub(super) loss: SegmentationLoss,
    pub(super) common: LearnerSettings,
}

impl Default for UnetConfig {
    fn default() -> UnetConfig {
        UnetConfig {
            pretrained: Pretrained::Default,
            hub: None,
            loss: SegmentationLoss::default(),
            common: LearnerSettings::default(),
        }
    }
}

impl UnetConfig {
    /// Sets the weights that the encoder begins with, those of a classifier; [`Pretrained::Default`] by default.
    #[must_use]
    pub fn pretrained(self, pretrained: Pretrained) -> UnetConfig {
        UnetConfig { pretrained, ..self }
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
}

learner_settings!(UnetConfig);
image_settings!(UnetConfig);
