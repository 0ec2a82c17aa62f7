//! The state of a training run, which callbacks read and change.

use super::recorder::Recorder;
use crate::collective::Share;
use crate::data::Batch;
use crate::nn::Params;
use crate::optim::{Hypers, Progress};
use candle_core::Tensor;
use candle_core::backprop::GradStore;

/// The state of a training run. In fast.ai these are attributes of the learner.
pub struct TrainState {
    /// The network's parameters.
    pub params: Params,
    /// Losses, learning rates and metrics so far.
    pub recorder: Recorder,
    /// The current epoch, from 0.
    pub epoch: usize,
    /// The number of epochs of this fit.
    pub n_epochs: usize,
    /// The current batch, from 0.
    pub batch: usize,
    /// The number of batches in an epoch.
    pub n_batches: usize,
    /// Learning rates and momentum of the current step; a callback may change them before it.
    pub hypers: Hypers,
    /// The first input of the current batch; a callback may replace it.
    pub xs: Option<Tensor>,
    /// The batch's further inputs, if the network takes several ([`Batch::more_xs`]).
    pub more_xs: Vec<Tensor>,
    /// The batch's targets; a callback may replace them.
    pub ys: Option<Tensor>,
    /// The number of items of the current batch; of all processes, where several share it
    /// ([`super::Learner::distributed`]).
    pub n_items: usize,
    /// The rows of the batch that are this process's, where several share it.
    pub(super) share: Option<Share>,
    /// The predictions for the current batch; in [`super::Callback::after_loss`] with their graph.
    pub preds: Option<Tensor>,
    /// The loss as a tensor of one element, from the forward to the backward pass. A callback may add a penalty to it
    /// in [`super::Callback::after_loss`].
    pub loss_tensor: Option<Tensor>,
    /// The loss of the current batch, without penalties.
    pub loss: f64,
    /// The gradients, between the backward pass and the step. If a callback takes them, the step is skipped.
    pub grads: Option<GradStore>,
    /// Whether the optimizer took a step for the current batch.
    pub stepped: bool,
    /// A callback sets this to end training after the current epoch.
    pub stop: bool,
    /// A callback sets this in [`super::Callback::after_loss`] to end training at once, without a step for the current
    /// batch and without validation. In [`super::Callback::after_epoch`] it ends training as `stop` does, and values
    /// that are not finite in the epoch's row are not an error.
    pub cancel: bool,
}

impl TrainState {
    pub(super) fn new(params: &Params) -> TrainState {
        TrainState {
            params: params.clone(),
            recorder: Recorder::default(),
            epoch: 0,
            n_epochs: 0,
            batch: 0,
            n_batches: 0,
            hypers: Hypers::lr(0.0),
            xs: None,
            more_xs: Vec::new(),
            ys: None,
            n_items: 0,
            share: None,
            preds: None,
            loss_tensor: None,
            loss: f64::NAN,
            grads: None,
            stepped: false,
            stop: false,
            cancel: false,
        }
    }

    /// Begins a fit, at its start or where a checkpoint was written.
    pub(super) fn begin_fit(&mut self, n_epochs: usize, n_batches: usize, (epoch, batch): (usize, usize)) {
        (self.n_epochs, self.n_batches) = (n_epochs, n_batches);
        (self.epoch, self.batch) = (epoch, batch);
        (self.loss, self.stepped, self.stop, self.cancel) = (f64::NAN, false, false, false);
        self.forget_batch();
    }

    pub(super) fn begin_batch(&mut self, batch: Batch, share: Option<Share>) {
        self.n_items = share.as_ref().map_or(batch.len(), |share| share.of);
        self.share = share;
        (self.xs, self.more_xs, self.ys) = (Some(batch.xs), batch.more_xs, Some(batch.ys));
    }

    /// Drops the tensors of the last batch.
    pub(super) fn forget_batch(&mut self) {
        (self.xs, self.ys, self.preds, self.loss_tensor, self.grads) = (None, None, None, None, None);
        self.more_xs.clear();
    }

    /// Whether the fit is at its start: false in [`super::Callback::before_fit`] of a run that resumes.
    pub fn is_beginning(&self) -> bool {
        self.epoch == 0 && self.batch == 0
    }

    /// The position of the current batch in the fit.
    pub fn progress(&self) -> Progress {
        let TrainState { epoch, n_epochs, batch, n_batches, .. } = *self;
        Progress { epoch, n_epochs, batch, n_batches, n_groups: self.params.n_groups() }
    }

    /// The fraction of the fit's batches before the current one, from 0 to just below 1.
    pub fn position(&self) -> f64 {
        self.progress().position()
    }
}
