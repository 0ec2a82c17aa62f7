//! What a callback sees of a training run under way.

use super::recorder::Recorder;
use crate::nn::Params;
use crate::optim::{Hypers, Progress};
use candle_core::Tensor;
use candle_core::backprop::GradStore;

/// A training run under way.
pub struct Fit {
    /// The network's parameters.
    pub params: Params,
    /// What has been written down so far.
    pub recorder: Recorder,
    /// The epoch in hand, from 0.
    pub epoch: usize,
    /// How many there will be.
    pub n_epochs: usize,
    /// The training batch in hand, from 0.
    pub batch: usize,
    /// How many there are in an epoch.
    pub n_batches: usize,
    /// The learning rates and momentum of the step in hand; a callback may change them before it.
    pub hypers: Hypers,
    /// The inputs of the batch in hand; a callback may replace them.
    pub xs: Option<Tensor>,
    /// Its targets, likewise.
    pub ys: Option<Tensor>,
    /// The loss of the batch in hand, once it is known.
    pub loss: f64,
    /// The gradients, between the backward pass and the step. If a callback takes them away there is no step.
    pub grads: Option<GradStore>,
    /// Whether the batch in hand ended in a step.
    pub stepped: bool,
    /// A callback sets this to end training after the epoch in hand.
    pub stop: bool,
    /// A callback sets this in [`super::Callback::after_loss`] to end training at once: there is no step for the batch in
    /// hand, and no validation.
    pub cancel: bool,
}

impl Fit {
    /// Whether nothing of the fit has happened yet: false in [`super::Callback::before_fit`] of a run that resumes.
    pub fn is_beginning(&self) -> bool {
        self.epoch == 0 && self.batch == 0
    }

    /// Where in the fit the batch in hand stands.
    pub fn progress(&self) -> Progress {
        let Fit { epoch, n_epochs, batch, n_batches, .. } = *self;
        Progress { epoch, n_epochs, batch, n_batches, n_groups: self.params.n_groups() }
    }

    /// How far training has come at the batch in hand, from 0 to (just below) 1.
    pub fn position(&self) -> f64 {
        self.progress().position()
    }
}
