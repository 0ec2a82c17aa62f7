//! An exponential moving average of the weights.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{ParamKind, Params};
use crate::train::{Callback, CallbackState, TrainState};
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// An exponential moving average of the weights and running statistics (Polyak and Juditsky, 1992). timm's
/// `ModelEmaV2`.
///
/// ```text
/// average ← d·average + (1 - d)·weights   after each step t, with d = min(decay, (1 + t) / (10 + t))
/// ```
///
/// The bound on the decay, from TensorFlow's `ExponentialMovingAverage`, lets the average forget its start. The average
/// replaces the weights in each validation and at the end of the fit, so that metrics, [`super::SaveBest`] and the
/// exported model refer to the same weights; training continues with its own.
pub struct WeightAverage {
    decay: f64,
    steps: u64,
    /// The other set of weights: the averages while training, the network's own during validation.
    aside: BTreeMap<String, Tensor>,
    swapped: bool,
}

impl WeightAverage {
    /// An average with this decay, such as 0.999. It covers about the last `1 / (1 - decay)` steps.
    pub fn new(decay: f64) -> WeightAverage {
        WeightAverage { decay, steps: 0, aside: BTreeMap::new(), swapped: false }
    }

    fn swap(&mut self, params: &Params) -> Result<()> {
        let held = params.state_dict()?;
        params.load_state_dict(&self.aside)?;
        (self.aside, self.swapped) = (held, !self.swapped);
        Ok(())
    }
}

impl Callback for WeightAverage {
    fn before_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if state.is_beginning() {
            (self.steps, self.aside, self.swapped) = (0, state.params.state_dict()?, false);
        }
        Ok(())
    }

    fn before_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        if self.swapped { self.swap(&state.params) } else { Ok(()) }
    }

    fn after_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if !state.stepped {
            return Ok(());
        }
        self.steps += 1;
        let t = self.steps as f64;
        let decay = self.decay.min((1.0 + t) / (10.0 + t));
        for param in state.params.all() {
            // What is frozen stays what it was.
            if !param.trainable() && param.kind() != ParamKind::Buffer {
                continue;
            }
            let average = self.aside.remove(param.name());
            let average = average.ok_or_else(|| Error::Value(format!("no average is kept of `{}`", param.name())))?;
            let average = Var::from_tensor(&average)?;
            kernels::scale_add(&average, decay, 1.0 - decay, &param.var().as_detached_tensor())?;
            // A variable again, so that the next step changes it where it is.
            self.aside.insert(param.name().to_string(), average.into_inner());
        }
        Ok(())
    }

    fn before_validate(&mut self, state: &mut TrainState) -> Result<()> {
        self.swap(&state.params)
    }

    // Not in `after_fit`: there the best epoch's weights are put back, before or after this callback's turn.
    fn after_cancel_fit(&mut self, state: &mut TrainState) -> Result<()> {
        if self.swapped || self.aside.is_empty() { Ok(()) } else { self.swap(&state.params) }
    }

    fn describe(&self) -> Option<String> {
        Some(format!("WeightAverage, decay {}", self.decay))
    }

    fn state(&self) -> CallbackState {
        let numbers = [("steps", self.steps as f64), ("swapped", f64::from(u8::from(self.swapped)))];
        let numbers = numbers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        let tensors = self.aside.iter().map(|(name, tensor)| (name.clone(), tensor.detach())).collect();
        CallbackState { numbers, tensors }
    }

    fn set_state(&mut self, state: CallbackState) {
        let number = |name: &str| state.numbers.get(name).copied().unwrap_or_default();
        (self.steps, self.swapped) = (number("steps") as u64, number("swapped") != 0.0);
        self.aside = state.tensors;
    }
}
