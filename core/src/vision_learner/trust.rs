//! What lets a predictor say how sure it is, and that it does not know.

use super::learner::VisionLearner;
use super::strangers::{KEPT, Strangers, pooled};
use crate::data::ImageLoader;
use crate::error::{Error, Result};
use crate::kernels;
use crate::rng::Rng;
use candle_core::{Device, Tensor};
use std::sync::Arc;

impl VisionLearner {
    /// What scores are divided by before predictions become probabilities ([`VisionLearner::set_temperature`]).
    pub fn temperature(&self) -> Option<f64> {
        self.recipe.temperature
    }

    /// Sets what scores are divided by before the predictions of [`VisionLearner::predictor`] and of an exported model
    /// become probabilities, as [`crate::interpret::Interpretation::calibration`] found it. It changes no predicted
    /// class; what the learner itself says of its loaders stays as it is. Training on makes it obsolete.
    ///
    /// # Errors
    /// [`Error::Config`] when it is not above 0, or images may show several classes.
    pub fn set_temperature(&mut self, temperature: f64) -> Result<()> {
        if !(temperature > 0.0 && temperature.is_finite()) || self.recipe.threshold.is_some() {
            let message = format!(
                "a temperature is a number above 0, for images of one class each; got {temperature} for {}",
                if self.recipe.threshold.is_some() { "images that may show several" } else { "such images" }
            );
            return Err(Error::config("temperature", message));
        }
        self.recipe.temperature = Some(temperature);
        Ok(())
    }

    /// Keeps the features of at most 256 training images, so that the predictor and an exported model can tell images
    /// that are unlike any in training ([`super::Prediction::strangeness`]): about a quarter of a megabyte for each 50
    /// images. Training on makes them obsolete.
    ///
    /// # Errors
    /// When an image cannot be read, there is a single one, or a stop is asked for.
    pub fn remember_images(&mut self) -> Result<()> {
        let plain = self.dls.without_augmentation()?;
        let train = self.some_features(&plain.train)?;
        let valid = self.some_features(&plain.valid)?;
        self.strangers = Some(Arc::new(Strangers::new(&train, &valid)?));
        Ok(())
    }

    /// Features `[n, features]` of at most [`KEPT`] images of a loader, chosen at random.
    fn some_features(&self, loader: &ImageLoader) -> Result<Tensor> {
        const BATCH: usize = 32;
        let mut chosen = Rng::new(self.seed).stream("strangers").permutation(loader.n_items());
        chosen.truncate(KEPT);
        let task = self.listener.task("remembering images", chosen.len());
        let mut features = Vec::new();
        for (i, items) in chosen.chunks(BATCH).enumerate() {
            self.listener.stop_if_interrupted()?;
            let xs = loader.batch_of(items)?.xs;
            let of_batch = kernels::no_grad(|| self.network.features(&xs, false))?.detach();
            features.push(pooled(&of_batch)?.to_device(&Device::Cpu)?);
            task.progress(i * BATCH + items.len(), "");
        }
        Ok(Tensor::cat(&features, 0)?)
    }
}
