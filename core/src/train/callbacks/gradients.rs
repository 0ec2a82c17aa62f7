//! Clipping and accumulation of gradients.

use crate::error::Result;
use crate::optim::clip_grad_norm;
use crate::train::{Callback, CallbackState, TrainState};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Clips the gradients by their total norm before each step ([`clip_grad_norm`](crate::optim::clip_grad_norm)).
/// fast.ai's `GradientClip`.
pub struct GradientClip {
    /// The largest norm after clipping.
    pub max_norm: f64,
}

impl Callback for GradientClip {
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        if let Some(grads) = &mut state.grads {
            clip_grad_norm(&state.params.trainable(), grads, self.max_norm)?;
        }
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some(format!("GradientClip, max_norm {}", self.max_norm))
    }
}

/// Accumulates gradients over several batches and takes a step for every `n_items` items, which gives large batches on
/// a small machine. fast.ai's `GradientAccumulation`.
///
/// The loss must be a mean over its batch; gradients are summed over items and divided by `n_items`. Items left at the
/// end of a fit take no step. Batch normalisation still uses the small batches.
pub struct GradientAccumulation {
    n_items: usize,
    seen: usize,
    sums: BTreeMap<String, Tensor>,
}

impl GradientAccumulation {
    /// Takes a step for every `n_items` items.
    pub fn new(n_items: usize) -> GradientAccumulation {
        GradientAccumulation { n_items, seen: 0, sums: BTreeMap::new() }
    }
}

impl Callback for GradientAccumulation {
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if state.is_beginning() {
            (self.seen, self.sums) = (0, BTreeMap::new());
        }
        Ok(())
    }

    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        let Some(grads) = &mut state.grads else { return Ok(()) };
        let size = state.n_items;
        let share = size as f64 / self.n_items.max(1) as f64;
        self.seen += size;
        for param in state.params.trainable() {
            let Some(grad) = param.take_gradient(grads)? else { continue };
            let grad = (grad * share)?;
            let sum = match self.sums.remove(param.name()) {
                Some(sum) => (sum + grad)?,
                None => grad,
            };
            if self.seen < self.n_items {
                self.sums.insert(param.name().to_string(), sum);
            } else {
                grads.insert(param.var(), sum);
            }
        }
        if self.seen < self.n_items {
            state.grads = None;
        } else {
            (self.seen, self.sums) = (0, BTreeMap::new());
        }
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some(format!("GradientAccumulation, {} items", self.n_items))
    }

    fn state(&self) -> CallbackState {
        let numbers = BTreeMap::from([("seen".to_string(), self.seen as f64)]);
        CallbackState { numbers, tensors: self.sums.clone() }
    }

    fn set_state(&mut self, state: CallbackState) {
        self.seen = state.numbers.get("seen").copied().unwrap_or_default() as usize;
        self.sums = state.tensors;
    }
}
