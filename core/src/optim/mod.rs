//! Steps downhill: optimizers, and the schedules of their learning rates.

mod adam;
mod clip;
mod lrs;
mod rows;
mod schedule;
mod sgd;

pub use adam::Adam;
pub use clip::clip_grad_norm;
pub use lrs::{Lrs, slice, slice_to};
pub use schedule::{
    Constant, CosineAnnealing, FlatCos, OneCycle, Progress, Schedule, StepLr, combined_cos, cosine_annealing,
    even_mults, sched_cos, sched_exp, sched_lin, step_lr, torch_one_cycle,
};
pub use sgd::Sgd;

use crate::error::{Error, Result};
use crate::nn::{Param, ParamKind};
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use std::collections::BTreeMap;

/// What a schedule sets before each step.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Hypers {
    /// Learning rate of each parameter group; the last one serves the groups beyond.
    pub lr: Vec<f64>,
    /// Momentum (SGD) or the first beta (Adam); `None` leaves the optimizer's own.
    pub mom: Option<f64>,
}

impl Hypers {
    /// One learning rate for all groups, and the optimizer's own momentum.
    pub fn lr(lr: f64) -> Hypers {
        Hypers { lr: vec![lr], mom: None }
    }

    fn lr_of(&self, param: &Param) -> f64 {
        self.lr.get(param.group()).or(self.lr.last()).copied().unwrap_or_default()
    }
}

/// Moves parameters against their gradients.
pub trait Optimizer: Send {
    /// One step for each parameter that is trainable and has a gradient.
    ///
    /// # Errors
    /// When a gradient does not have its parameter's shape.
    fn step(&mut self, params: &[Param], grads: &GradStore, hypers: &Hypers) -> Result<()>;

    /// The optimizer and all of its settings in words, without its memory. A checkpoint keeps them, so that training
    /// goes on with those that it began with or not at all.
    fn describe(&self) -> String;

    /// All that must be kept to go on later as if nothing had happened: averages by parameter and name, and step
    /// counts.
    fn state(&self) -> OptimState;

    /// Goes on from a state that [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// When it is the state of another kind of optimizer, or a tensor cannot be copied; then nothing is changed.
    fn set_state(&mut self, state: OptimState) -> Result<()>;
}

/// The memory of an optimizer.
#[derive(Debug, Clone, Default)]
pub struct OptimState {
    /// Running averages, called `average/parameter`.
    pub tensors: BTreeMap<String, Tensor>,
    /// Steps taken, by parameter.
    pub steps: BTreeMap<String, u64>,
}

fn other_memory() -> Error {
    Error::Value("this is the memory of another kind of optimizer".into())
}

/// Whether weight decay applies: fast.ai (`wd_bn_bias=False`) spares normalisation layers and biases.
fn decays(param: &Param, all: bool) -> bool {
    all || param.kind() == ParamKind::Weight
}
