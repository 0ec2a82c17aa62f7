//! Code that takes part in training without being part of the loop.

use super::fit::Fit;
use crate::error::Result;
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Hooks into the training loop. All do nothing unless implemented. Callbacks are called in the order in which the learner
/// got them, so what changes gradients belongs in the order of the changes: first accumulation, then clipping.
#[allow(unused_variables)]
pub trait Callback: Send {
    /// Before the first epoch; also when a run resumes.
    ///
    /// # Errors
    /// An error ends the fit; so for all hooks.
    fn before_fit(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// Before the batches of an epoch; also before the rest of one when a run resumes.
    ///
    /// # Errors
    /// As above.
    fn before_epoch(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// Before a batch: `fit.xs`, `fit.ys` and `fit.hypers` may be changed.
    ///
    /// # Errors
    /// As above.
    fn before_batch(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After the forward pass: `fit.loss` is known, and `fit.cancel` may be set. A loss that is not a finite number ends the
    /// fit with an error after this, unless it has been cancelled.
    ///
    /// # Errors
    /// As above.
    fn after_loss(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After the backward pass and before the step: `fit.grads` is there.
    ///
    /// # Errors
    /// As above.
    fn after_backward(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After the step; `fit.recorder` knows the loss.
    ///
    /// # Errors
    /// As above.
    fn after_batch(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// Before validation.
    ///
    /// # Errors
    /// As above.
    fn before_validate(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After validation; `fit.recorder.rows` has the epoch's row.
    ///
    /// # Errors
    /// As above.
    fn after_epoch(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// After the last epoch.
    ///
    /// # Errors
    /// As above.
    fn after_fit(&mut self, fit: &mut Fit) -> Result<()> {
        Ok(())
    }

    /// What a checkpoint must keep for it.
    fn state(&self) -> CallbackState {
        CallbackState::default()
    }

    /// Goes on from a state that [`Callback::state`] gave.
    fn set_state(&mut self, state: CallbackState) {}
}

/// The memory of a callback.
#[derive(Debug, Clone, Default)]
pub struct CallbackState {
    /// Numbers by name.
    pub numbers: BTreeMap<String, f64>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
}
