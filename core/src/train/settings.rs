//! The settings that the configurations of all kinds of learners have in common.

use super::callback::Callback;
use super::checkpoint::Checkpoints;
use super::learner::Learner;
use super::metric::Metric;
use crate::collective::World;
use crate::device;
use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use crate::optim::{Adam, Optimizer};
use candle_core::Device;

/// What every kind of learner can be told about its training, whatever it learns from. A kind's configuration has one
/// as its field `common`, and gets the methods that set it from [`learner_settings`].
pub(crate) struct LearnerSettings {
    pub(crate) seed: Option<u64>,
    pub(crate) device: Option<Device>,
    pub(crate) optimizer: Box<dyn Optimizer>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) train_metrics: bool,
    pub(crate) bf16: bool,
    pub(crate) callbacks: Vec<Box<dyn Callback>>,
    pub(crate) listener: Listener,
    pub(crate) checkpoints: Option<Checkpoints>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) world: Option<World>,
}

impl Default for LearnerSettings {
    fn default() -> LearnerSettings {
        LearnerSettings {
            seed: None,
            device: None,
            optimizer: Box::new(Adam::fastai()),
            metrics: Vec::new(),
            train_metrics: false,
            bf16: false,
            callbacks: Vec::new(),
            listener: Listener::default(),
            checkpoints: None,
            fingerprint: Fingerprint::default(),
            world: None,
        }
    }
}

impl LearnerSettings {
    /// The device to train on, and the seed of all that is random; if none was set, the best device of this build and
    /// machine, and the seed of the data.
    pub(crate) fn device_and_seed(&self, seed_of_data: u64) -> (Device, u64) {
        (self.device.clone().unwrap_or_else(device::best), self.seed.unwrap_or(seed_of_data))
    }

    /// The learner with these settings, where `network` is what the kind itself says of what shapes the run.
    pub(crate) fn configure(self, learner: Learner, network: Fingerprint) -> Learner {
        let mut learner = learner
            .boxed_opt(self.optimizer)
            .metrics(self.metrics)
            .listener(self.listener)
            .fingerprint(network.and("", self.fingerprint));
        if self.train_metrics {
            learner = learner.train_metrics();
        }
        if self.bf16 {
            learner = learner.to_bf16();
        }
        if let Some(world) = &self.world {
            learner = learner.distributed(world);
        }
        learner = self.callbacks.into_iter().fold(learner, Learner::boxed_callback);
        match self.checkpoints {
            Some(checkpoints) => learner.checkpoints(checkpoints),
            None => learner,
        }
    }
}

/// Gives a configuration with a field `common` of type [`LearnerSettings`] the methods that set it.
macro_rules! learner_settings {
    ($Config:ident) => {
        impl $Config {
            /// Sets the seed of first weights and of dropouts; by default the seed of the data.
            #[must_use]
            pub fn seed(mut self, seed: u64) -> $Config {
                self.common.seed = Some(seed);
                self
            }

            /// Sets the device; by default CUDA, Metal or the CPU, the first that this build and this machine have.
            #[must_use]
            pub fn device(mut self, device: &candle_core::Device) -> $Config {
                self.common.device = Some(device.clone());
                self
            }

            /// Sets the optimizer; [`Adam::fastai`](crate::optim::Adam::fastai) by default.
            #[must_use]
            pub fn opt(mut self, optimizer: impl crate::optim::Optimizer + 'static) -> $Config {
                self.common.optimizer = Box::new(optimizer);
                self
            }

            /// Sets the weight decay of fast.ai's Adam, which replaces another optimizer; 0.01 by default. fast.ai's
            /// `wd`.
            #[must_use]
            pub fn wd(self, wd: f64) -> $Config {
                let mut adam = crate::optim::Adam::fastai();
                adam.wd = wd;
                self.opt(adam)
            }

            /// Sets the metrics that are computed on the validation set after each epoch; none by default.
            #[must_use]
            pub fn metrics(mut self, metrics: impl IntoIterator<Item = crate::train::Metric>) -> $Config {
                self.common.metrics = metrics.into_iter().collect();
                self
            }

            /// Computes the metrics of the training batches too
            /// ([`Learner::train_metrics`](crate::train::Learner::train_metrics)).
            #[must_use]
            pub fn train_metrics(mut self) -> $Config {
                self.common.train_metrics = true;
                self
            }

            /// Adds a callback.
            #[must_use]
            pub fn callback(self, callback: impl crate::train::Callback + 'static) -> $Config {
                self.boxed_callback(Box::new(callback))
            }

            /// Adds a callback that is boxed already.
            #[must_use]
            pub fn boxed_callback(mut self, callback: Box<dyn crate::train::Callback>) -> $Config {
                self.common.callbacks.push(callback);
                self
            }

            /// Sets the receiver of progress, such as [`crate::cli::console`]; by default nothing is printed.
            #[must_use]
            pub fn listener(mut self, listener: crate::event::Listener) -> $Config {
                self.common.listener = listener;
                self
            }

            /// Keeps checkpoints, and resumes from the last one if asked to
            /// ([`Learner::checkpoints`](crate::train::Learner::checkpoints)).
            #[must_use]
            pub fn checkpoints(mut self, checkpoints: crate::train::Checkpoints) -> $Config {
                self.common.checkpoints = Some(checkpoints);
                self
            }

            /// Makes the learner one of several processes that train together
            /// ([`Learner::distributed`](crate::train::Learner::distributed)).
            #[must_use]
            pub fn distributed(mut self, world: &crate::collective::World) -> $Config {
                self.common.world = Some(world.clone());
                self
            }

            /// Says more of what shapes the run than data, network and settings do
            /// ([`Learner::fingerprint`](crate::train::Learner::fingerprint)).
            #[must_use]
            pub fn fingerprint(mut self, more: crate::fingerprint::Fingerprint) -> $Config {
                self.common.fingerprint = self.common.fingerprint.and("", more);
                self
            }
        }
    };
}
pub(crate) use learner_settings;

/// Gives a configuration of a network of images, with a field `common`, the method that chooses its precision.
macro_rules! image_settings {
    ($Config:ident) => {
        impl $Config {
            /// Trains in mixed precision, by [`Learner::to_bf16`](crate::train::Learner::to_bf16).
            #[must_use]
            pub fn to_bf16(mut self) -> $Config {
                self.common.bf16 = true;
                self
            }
        }
    };
}
pub(crate) use image_settings;
