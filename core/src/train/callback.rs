//! Hooks into the training loop.

use super::state::TrainState;
use crate::error::Result;
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Hooks into the training loop. All do nothing unless implemented. Callbacks are called in the order in which the
/// learner got them, so what changes gradients belongs in the order of the changes: first accumulation, then clipping.
#[allow(unused_variables)]
pub trait Callback: Send {
    /// Before the first epoch; also when a run resumes.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Before the batches of an epoch; also before the rest of one when a run resumes.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Before a batch: `state.xs`, `state.ys` and `state.hypers` may be changed.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// After the forward pass: `state.loss` and `state.preds` are known, a penalty may be added to `state.loss_tensor`,
    /// and `state.cancel` may be set. A loss that is not a finite number ends the
    /// fit with an error after this, unless it has been cancelled.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_loss(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// After the backward pass and before the step: `state.grads` is there.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// After the step; `state.recorder` knows the loss.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_batch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Before validation.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_validate(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// After validation; `state.recorder.rows` has the epoch's row.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Where the fit ends at once ([`TrainState::cancel`]), before [`Callback::after_fit`]. fast.ai's
    /// `after_cancel_fit`.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_cancel_fit(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// After the last epoch.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_fit(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// A callback that shapes training says here with which settings it does. A checkpoint keeps the words, so that
    /// training goes on with those that it began with or not at all. `None`, the default, is for callbacks that only
    /// watch.
    fn describe(&self) -> Option<String> {
        None
    }

    /// State to store in checkpoints.
    fn state(&self) -> CallbackState {
        CallbackState::default()
    }

    /// Restores a state that [`Callback::state`] gave.
    fn set_state(&mut self, state: CallbackState) {}
}

/// The state of a callback in a checkpoint.
#[derive(Debug, Clone, Default)]
pub struct CallbackState {
    /// Numbers by name.
    pub numbers: BTreeMap<String, f64>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
}
