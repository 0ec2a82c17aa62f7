//! The settings of a learner for ratings.

use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use crate::optim::{Adam, Optimizer};
use crate::train::{Callback, Checkpoints, Metric};
use candle_core::Device;

/// The settings of a [`super::CollabLearner`] besides its data. The default is fast.ai's: 50 factors, their product,
/// and Adam; on the best device that this build and this machine have.
///
/// ```
/// use tallow::collab_learner::CollabConfig;
///
/// let config = CollabConfig::default().n_factors(20).y_range(0.5, 5.5).wd(0.1);
/// ```
pub struct CollabConfig {
    pub(super) n_factors: usize,
    pub(super) layers: Option<Vec<usize>>,
    pub(super) y_range: Option<(f64, f64)>,
    pub(super) begin_with_biases: bool,
    pub(super) seed: Option<u64>,
    pub(super) device: Option<Device>,
    pub(super) optimizer: Box<dyn Optimizer>,
    pub(super) metrics: Vec<Metric>,
    pub(super) callbacks: Vec<Box<dyn Callback>>,
    pub(super) listener: Listener,
    pub(super) checkpoints: Option<Checkpoints>,
    pub(super) fingerprint: Fingerprint,
}

impl Default for CollabConfig {
    fn default() -> CollabConfig {
        CollabConfig {
            n_factors: 50,
            layers: None,
            y_range: None,
            begin_with_biases: false,
            seed: None,
            device: None,
            optimizer: Box::new(Adam::fastai()),
            metrics: Vec::new(),
            callbacks: Vec::new(),
            listener: Listener::default(),
            checkpoints: None,
            fingerprint: Fingerprint::default(),
        }
    }
}

impl CollabConfig {
    /// Sets the number of factors of each user and item; 50 by default. A network of layers has numbers of its own, by
    /// fast.ai's rule.
    #[must_use]
    pub fn n_factors(self, n_factors: usize) -> CollabConfig {
        CollabConfig { n_factors, ..self }
    }

    /// Predicts by a network of layers of these widths on top of the users' and items' vectors, instead of by the
    /// product of factors. fast.ai's `use_nn=True`, whose layers are `[50]`.
    #[must_use]
    pub fn layers(self, layers: impl IntoIterator<Item = usize>) -> CollabConfig {
        CollabConfig { layers: Some(layers.into_iter().collect()), ..self }
    }

    /// Sets the range of predictions, a little more than that of the ratings; by default that of the loaders
    /// ([`crate::data::RatingsBlock::y_range`]), and where they have none predictions are any numbers.
    #[must_use]
    pub fn y_range(self, low: f64, high: f64) -> CollabConfig {
        CollabConfig { y_range: Some((low, high)), ..self }
    }

    /// Begins with the biases of the model of biases alone ([`super::BiasModel`]) instead of with random ones, so that
    /// the factors learn what is left. It needs the product of factors; fast.ai has no such thing.
    #[must_use]
    pub fn begin_with_biases(self) -> CollabConfig {
        CollabConfig { begin_with_biases: true, ..self }
    }

    /// Sets the weight decay of fast.ai's Adam; 0.01 by default. Biases decay too, being tables.
    #[must_use]
    pub fn wd(self, wd: f64) -> CollabConfig {
        let mut adam = Adam::fastai();
        adam.wd = wd;
        self.opt(adam)
    }

    /// Sets the seed of the tables; by default the seed of the data ([`crate::data::RatingsBlock::seed`]).
    #[must_use]
    pub fn seed(self, seed: u64) -> CollabConfig {
        CollabConfig { seed: Some(seed), ..self }
    }

    /// Sets the device; by default CUDA, Metal or the CPU, the first that this build and this machine have.
    #[must_use]
    pub fn device(self, device: &Device) -> CollabConfig {
        CollabConfig { device: Some(device.clone()), ..self }
    }

    /// Sets the optimizer; [`Adam::fastai`] by default.
    #[must_use]
    pub fn opt(self, optimizer: impl Optimizer + 'static) -> CollabConfig {
        CollabConfig { optimizer: Box::new(optimizer), ..self }
    }

    /// Sets the metrics that are computed on the validation set after each epoch; none by default, since the loss is
    /// the mean squared error.
    #[must_use]
    pub fn metrics(self, metrics: impl IntoIterator<Item = Metric>) -> CollabConfig {
        CollabConfig { metrics: metrics.into_iter().collect(), ..self }
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(self, callback: impl Callback + 'static) -> CollabConfig {
        self.boxed_callback(Box::new(callback))
    }

    /// Adds a callback that is boxed already.
    #[must_use]
    pub fn boxed_callback(mut self, callback: Box<dyn Callback>) -> CollabConfig {
        self.callbacks.push(callback);
        self
    }

    /// Sets the receiver of progress, such as [`crate::cli::console`]; by default nothing is printed.
    #[must_use]
    pub fn listener(self, listener: Listener) -> CollabConfig {
        CollabConfig { listener, ..self }
    }

    /// Keeps checkpoints, and resumes from the last one if asked to ([`crate::train::Learner::checkpoints`]).
    #[must_use]
    pub fn checkpoints(self, checkpoints: Checkpoints) -> CollabConfig {
        CollabConfig { checkpoints: Some(checkpoints), ..self }
    }

    /// Says more of what shapes the run than data, network and settings do
    /// ([`crate::train::Learner::fingerprint`]).
    #[must_use]
    pub fn fingerprint(self, more: Fingerprint) -> CollabConfig {
        CollabConfig { fingerprint: self.fingerprint.and("", more), ..self }
    }
}
