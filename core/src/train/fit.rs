//! What a callback sees of a training run under way.

use super::recorder::Recorder;
use crate::nn::Params;
use crate::optim::Hypers;
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
    /// The gradients, between the backward pass and the step.
    pub grads: Option<GradStore>,
    /// A callback sets this to end training after the epoch in hand.
    pub stop: bool,
}

impl Fit {
    /// How far training has come at the batch in hand, from 0 to (just below) 1.
    pub fn position(&self) -> f64 {
        (self.epoch * self.n_batches + self.batch) as f64 / (self.n_epochs * self.n_batches).max(1) as f64
    }
}
