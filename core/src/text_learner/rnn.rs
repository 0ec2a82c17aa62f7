//! What a network with a state needs besides its loss.

use crate::error::Result;
use crate::kernels;
use crate::models::LanguageModel;
use crate::models::awd_lstm::{AwdState, RnnOutputs};
use crate::nn::LstmState;
use crate::train::{Callback, CallbackState, TrainState};
use std::sync::Arc;

/// A language model forgets what it has read before the batches of an epoch, before validation, and after a fit. Its
/// state in between is in checkpoints. fast.ai's `ModelResetter`.
pub struct ModelResetter(pub Arc<LanguageModel>);

impl Callback for ModelResetter {
    fn before_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        // In the middle of an epoch a resumed run goes on from the checkpoint's state.
        if state.batch == 0 {
            self.0.reset();
        }
        Ok(())
    }

    fn before_validate(&mut self, _: &mut TrainState) -> Result<()> {
        self.0.reset();
        Ok(())
    }

    fn after_fit(&mut self, _: &mut TrainState) -> Result<()> {
        self.0.reset();
        Ok(())
    }

    fn state(&self) -> CallbackState {
        let mut kept = CallbackState::default();
        for (layer, LstmState { hidden, cell }) in self.0.state().into_iter().flat_map(|state| state.0).enumerate() {
            kept.tensors.insert(format!("{layer}.hidden"), hidden);
            kept.tensors.insert(format!("{layer}.cell"), cell);
        }
        kept
    }

    fn set_state(&mut self, kept: CallbackState) {
        let layer = |layer: usize| {
            let tensor = |name: &str| kept.tensors.get(&format!("{layer}.{name}")).cloned();
            Some(LstmState { hidden: tensor("hidden")?, cell: tensor("cell")? })
        };
        let layers: Option<Vec<LstmState>> = (0..self.0.encoder().n_layers()).map(layer).collect();
        self.0.set_state(layers.map(AwdState));
    }
}

/// Penalties on what the last layer gives: `alpha` times the mean of its squares (AR), and `beta` times that of the
/// squares of its changes from step to step (TAR). They are in the gradients, not in the loss that is shown. fast.ai's
/// `RNNRegularizer`, whose default is 2 and 1.
pub struct RnnRegularizer {
    alpha: f64,
    beta: f64,
    outputs: Box<dyn Fn() -> Option<RnnOutputs> + Send>,
}

impl RnnRegularizer {
    /// `outputs` takes them from the network: `move || network.take_outputs()`.
    pub fn new(alpha: f64, beta: f64, outputs: impl Fn() -> Option<RnnOutputs> + Send + 'static) -> RnnRegularizer {
        RnnRegularizer { alpha, beta, outputs: Box::new(outputs) }
    }
}

impl Callback for RnnRegularizer {
    fn after_loss(&mut self, state: &mut TrainState) -> Result<()> {
        let Some(RnnOutputs { raw, dropped }) = (self.outputs)() else { return Ok(()) };
        let Some(mut loss) = state.loss_tensor.take() else { return Ok(()) };
        let (batch, steps, _) = raw.dims3()?;
        if self.alpha != 0.0 {
            loss = (loss + (kernels::mean_square(&dropped)? * self.alpha)?)?;
        }
        // As in fast.ai, a batch of one text has no penalty on its changes. Neither has a text of one word.
        if self.beta != 0.0 && batch > 1 && steps > 1 {
            loss = (loss + (kernels::mean_square_of_changes(&raw)? * self.beta)?)?;
        }
        state.loss_tensor = Some(loss);
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some(format!("RnnRegularizer, alpha {}, beta {}", self.alpha, self.beta))
    }
}
