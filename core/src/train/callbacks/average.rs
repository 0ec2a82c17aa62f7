//! The mean of many steps' weights.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{ParamKind, Params};
use crate::train::{Callback, CallbackState, TrainState};
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// An exponential moving average of the weights and running statistics (Polyak and Juditsky, 1992): after each step
/// `average ← decay·average + (1 - decay)·weights`. It stands in for the weights in every validation, and at the end it
/// is what the network keeps, so that metrics, [`super::SaveBest`] and the exported model all speak of the same
/// weights; training itself goes on with its own. timm's `ModelEmaV2`.
///
/// So that the average does not cling to its beginning, the decay is at most `(1 + t)/(10 + t)` at step `t`, as in
/// TensorFlow's `ExponentialMovingAverage`.
pub struct WeightAverage {
    decay: f64,
    steps: u64,
    /// What the network does not hold at the moment: the averages while it trains, its own weights while it is judged.
    aside: BTreeMap<String, Tensor>,
    swapped: bool,
}

impl WeightAverage {
    /// With this decay, such as 0.999: the average reaches about `1/(1 - decay)` steps back.
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
