//! Optimizers, and schedules of their learning rates: PyTorch's `torch.optim` and fast.ai's `optimizer`.
//!
//! An optimizer changes parameters in place by their gradients; a [`Schedule`] says with which learning rate and
//! momentum it does at each step. One step of each kind, down the parabola `p²` from 1 and -2:
//!
//! ```
//! use tallow::autograd;
//! use tallow::candle::{Device, Tensor};
//! use tallow::nn::{ParamKind, Params};
//! use tallow::optim::{Adam, Hypers, Optimizer, Sgd};
//! use tallow::rng::Rng;
//! # fn main() -> tallow::Result<()> {
//! let after_two_steps = |mut optimizer: Box<dyn Optimizer>| -> tallow::Result<Vec<f32>> {
//!     let params = Params::new(&Rng::new(42), &Device::Cpu);
//!     let start = |_: &mut Rng, device: &Device| Ok(Tensor::new(&[1f32, -2.], device)?);
//!     let p = params.add("p", ParamKind::Weight, start)?;
//!     for _ in 0..2 {
//!         let grads = autograd::backward(&p.tensor().sqr()?.sum_all()?)?;
//!         optimizer.step(&params.all(), &grads, &Hypers::lr(0.1))?;
//!     }
//!     Ok(p.tensor().to_vec1()?)
//! };
//! let near = |a: Vec<f32>, b: [f32; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
//! // `torch.optim.SGD(lr=0.1)`, with `momentum=0.9`, and `Adam(lr=0.1)`
//! assert!(near(after_two_steps(Box::new(Sgd::new()))?, [0.64, -1.28]));
//! assert!(near(after_two_steps(Box::new(Sgd::torch(0.9, 0.0)))?, [0.46, -0.92]));
//! assert!(near(after_two_steps(Box::new(Adam::torch(0.0)))?, [0.8004122, -1.8001665]));
//! // fast.ai's `Adam(lr=0.1)`
//! assert!(near(after_two_steps(Box::new(Adam::fastai()))?, [0.7984961, -1.7962613]));
//! # Ok(())
//! # }
//! ```

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

/// The hyperparameters that a schedule sets before each step.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Hypers {
    /// The learning rate of each parameter group; the last one also applies to all further groups.
    pub lr: Vec<f64>,
    /// Momentum (SGD) or the first beta (Adam); `None` keeps the optimizer's own.
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

/// An optimizer: changes parameters by their gradients, so that the loss falls. PyTorch's `torch.optim.Optimizer`.
pub trait Optimizer: Send {
    /// Takes one step for each parameter that is trainable and has a gradient.
    ///
    /// # Errors
    /// When a gradient does not have its parameter's shape.
    fn step(&mut self, params: &[Param], grads: &GradStore, hypers: &Hypers) -> Result<()>;

    /// Describes the optimizer and all of its settings, but not its state. A checkpoint saves the description, and only
    /// a run with the same one may resume from it.
    fn describe(&self) -> String;

    /// The state with which training resumes exactly: running averages and step counts, by parameter.
    fn state(&self) -> OptimState;

    /// Restores a state from [`Optimizer::state`].
    ///
    /// # Errors
    /// [`Error::Value`] when it is the state of another kind of optimizer; then nothing is changed.
    fn set_state(&mut self, state: OptimState) -> Result<()>;
}

/// The state of an optimizer.
#[derive(Debug, Clone, Default)]
pub struct OptimState {
    /// Running averages, named `average/parameter`.
    pub tensors: BTreeMap<String, Tensor>,
    /// Steps taken, by parameter.
    pub steps: BTreeMap<String, u64>,
}

fn other_memory() -> Error {
    Error::Value("this is the memory of another kind of optimizer".into())
}

/// Whether weight decay applies: fast.ai (`wd_bn_bias=False`) excludes normalisation layers and biases.
fn decays(param: &Param, all: bool) -> bool {
    all || param.kind() == ParamKind::Weight
}
