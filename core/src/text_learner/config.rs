//! The settings of a learner for texts.

use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use crate::models::AwdLstmConfig;
use crate::optim::{Adam, Optimizer};
use crate::train::{Callback, Checkpoints, Metric};
use candle_core::Device;

/// The settings of a [`super::LanguageModelLearner`] or a [`super::TextClassifierLearner`] besides its data. The
/// default is fast.ai's: an AWD-LSTM of 400 and 1152 numbers and three layers, its dropouts times 1 for a language
/// model and times 0.5 for a classifier, penalties 2 and 1 on what it gives (AR, TAR), and Adam with momenta 0.8, 0.7,
/// 0.8; on the best device that this build and this machine have.
///
/// ```
/// use tallow::text_learner::TextConfig;
/// use tallow::train::accuracy;
///
/// let config = TextConfig::default().size(100, 256, 3).drop_mult(0.3).metrics([accuracy()]);
/// ```
pub struct TextConfig {
    pub(super) size: (usize, usize, usize),
    pub(super) network: Option<AwdLstmConfig>,
    pub(super) drop_mult: Option<f64>,
    pub(super) penalties: (f64, f64),
    pub(super) head_layers: Vec<usize>,
    pub(super) max_len: Option<usize>,
    pub(super) seed: Option<u64>,
    pub(super) device: Option<Device>,
    pub(super) optimizer: Box<dyn Optimizer>,
    pub(super) metrics: Vec<Metric>,
    pub(super) callbacks: Vec<Box<dyn Callback>>,
    pub(super) listener: Listener,
    pub(super) checkpoints: Option<Checkpoints>,
    pub(super) fingerprint: Fingerprint,
}

impl Default for TextConfig {
    fn default() -> TextConfig {
        let AwdLstmConfig { emb_size, hidden, layers, .. } = AwdLstmConfig::language_model();
        TextConfig {
            size: (emb_size, hidden, layers),
            network: None,
            drop_mult: None,
            penalties: (2.0, 1.0),
            head_layers: vec![50],
            max_len: Some(20 * 72),
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

impl TextConfig {
    /// Sets the lengths of words' vectors and of the layers' results, and the number of layers; 400, 1152 and 3 by
    /// default.
    #[must_use]
    pub fn size(self, emb_size: usize, hidden: usize, layers: usize) -> TextConfig {
        TextConfig { size: (emb_size, hidden, layers), ..self }
    }

    /// Sets all of the network's sizes and dropouts, instead of fast.ai's for the kind of learner.
    #[must_use]
    pub fn network(self, network: AwdLstmConfig) -> TextConfig {
        let size = (network.emb_size, network.hidden, network.layers);
        TextConfig { network: Some(network), size, ..self }
    }

    /// Sets by what all dropouts are multiplied; by default 1 for a language model and 0.5 for a classifier.
    #[must_use]
    pub fn drop_mult(self, drop_mult: f64) -> TextConfig {
        TextConfig { drop_mult: Some(drop_mult), ..self }
    }

    /// Sets the factors of the penalties on what the last layer gives and on its changes from word to word; 2 and 1 by
    /// default. fast.ai's `alpha` and `beta`.
    #[must_use]
    pub fn penalties(self, alpha: f64, beta: f64) -> TextConfig {
        TextConfig { penalties: (alpha, beta), ..self }
    }

    /// Sets the widths of a classifier's layers between encoder and classes; one of 50 by default. fast.ai's
    /// `lin_ftrs`.
    #[must_use]
    pub fn head_layers(self, widths: impl IntoIterator<Item = usize>) -> TextConfig {
        TextConfig { head_layers: widths.into_iter().collect(), ..self }
    }

    /// Sets how many of a text's last words a classifier judges; 1440 by default, all if `None`.
    #[must_use]
    pub fn max_len(self, max_len: Option<usize>) -> TextConfig {
        TextConfig { max_len, ..self }
    }

    /// Sets the weight decay of fast.ai's Adam; 0.01 by default, 0.1 in the lesson.
    #[must_use]
    pub fn wd(self, wd: f64) -> TextConfig {
        let mut adam = Adam::fastai();
        adam.wd = wd;
        self.opt(adam)
    }

    /// Sets the seed of first weights and of dropouts; by default the seed of the data.
    #[must_use]
    pub fn seed(self, seed: u64) -> TextConfig {
        TextConfig { seed: Some(seed), ..self }
    }

    /// Sets the device; by default CUDA, Metal or the CPU, the first that this build and this machine have.
    #[must_use]
    pub fn device(self, device: &Device) -> TextConfig {
        TextConfig { device: Some(device.clone()), ..self }
    }

    /// Sets the optimizer; [`Adam::fastai`] by default.
    #[must_use]
    pub fn opt(self, optimizer: impl Optimizer + 'static) -> TextConfig {
        TextConfig { optimizer: Box::new(optimizer), ..self }
    }

    /// Sets the metrics that are computed on the validation set after each epoch; none by default.
    #[must_use]
    pub fn metrics(self, metrics: impl IntoIterator<Item = Metric>) -> TextConfig {
        TextConfig { metrics: metrics.into_iter().collect(), ..self }
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(self, callback: impl Callback + 'static) -> TextConfig {
        self.boxed_callback(Box::new(callback))
    }

    /// Adds a callback that is boxed already.
    #[must_use]
    pub fn boxed_callback(mut self, callback: Box<dyn Callback>) -> TextConfig {
        self.callbacks.push(callback);
        self
    }

    /// Sets the receiver of progress, such as [`crate::cli::console`]; by default nothing is printed.
    #[must_use]
    pub fn listener(self, listener: Listener) -> TextConfig {
        TextConfig { listener, ..self }
    }

    /// Keeps checkpoints, and resumes from the last one if asked to ([`crate::train::Learner::checkpoints`]).
    #[must_use]
    pub fn checkpoints(self, checkpoints: Checkpoints) -> TextConfig {
        TextConfig { checkpoints: Some(checkpoints), ..self }
    }

    /// Says more of what shapes the run than data, network and settings do
    /// ([`crate::train::Learner::fingerprint`]).
    #[must_use]
    pub fn fingerprint(self, more: Fingerprint) -> TextConfig {
        TextConfig { fingerprint: self.fingerprint.and("", more), ..self }
    }

    /// The network that all this comes to, where the kind's own is `published` and its dropouts are multiplied by
    /// `drop_mult`.
    pub(super) fn of_kind(&self, published: AwdLstmConfig, drop_mult: f64) -> AwdLstmConfig {
        let (emb_size, hidden, layers) = self.size;
        let network = self.network.unwrap_or(published).size(emb_size, hidden, layers);
        network.drop_mult(self.drop_mult.unwrap_or(drop_mult))
    }
}
