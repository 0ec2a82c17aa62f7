//! Callbacks: hooks into the training loop.

use super::state::TrainState;
use crate::error::Result;
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Hooks into the training loop, which do nothing unless implemented. fast.ai's `Callback`.
///
/// Callbacks run in the order in which they were added to the learner, so those that change gradients must be added in
/// the order of the changes: first accumulation, then clipping. An error from a hook ends the fit.
#[allow(unused_variables)]
pub trait Callback: Send {
    /// Runs before the first epoch, also when a run resumes.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs before the batches of an epoch, also before the rest of one when a run resumes.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs before a batch, and may change `state.xs`, `state.ys` and `state.hypers`.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs after the forward pass, when `state.loss` and `state.preds` are known. It may add a penalty to
    /// `state.loss_tensor` and set `state.cancel`. If the loss is not finite and the fit is not cancelled, the fit then
    /// ends with an error.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_loss(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs after the backward pass and before the optimizer's step; `state.grads` holds the gradients.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs after the optimizer's step, when `state.recorder` has the loss.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_batch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs before validation.
    ///
    /// # Errors
    /// An error ends the fit.
    fn before_validate(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs after validation, when `state.recorder.rows` has the epoch's row.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs when the fit is cancelled ([`TrainState::cancel`]), before [`Callback::after_fit`]. fast.ai's
    /// `after_cancel_fit`.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_cancel_fit(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Runs after the last epoch.
    ///
    /// # Errors
    /// An error ends the fit.
    fn after_fit(&mut self, state: &mut TrainState) -> Result<()> {
        Ok(())
    }

    /// Describes the settings of a callback that influences training. A checkpoint saves the description, and only a
    /// run with the same one may resume from it. `None`, the default, is for callbacks that only observe.
    fn describe(&self) -> Option<String> {
        None
    }

    /// The state to save in checkpoints.
    fn state(&self) -> CallbackState {
        CallbackState::default()
    }

    /// Restores a state from [`Callback::state`].
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
