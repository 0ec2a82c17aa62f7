//! Adam (Kingma and Ba, 2015), with decoupled weight decay (Loshchilov and Hutter, 2019).

use super::{Hypers, OptimState, Optimizer, decays, other_memory, rows};
use crate::error::Result;
use crate::kernels::{self, AdamStep, RowGradient};
use crate::nn::Param;
use candle_core::Var;
use candle_core::backprop::GradStore;
use std::collections::BTreeMap;

/// Adam (Kingma and Ba, 2015), with the settings of PyTorch's `Adam` and `AdamW` and of fast.ai's `Adam`.
///
/// ```text
/// m ← mom·m + (1 - mom)·g
/// v ← sqr_mom·v + (1 - sqr_mom)·g²
/// p ← p - lr / (1 - mom^t) · m / (√(v / (1 - sqr_mom^t)) + eps)
/// ```
///
/// for the gradient `g` at step `t`, from 1. As in fast.ai, the bias correction uses the momentum that the schedule
/// gives for this step.
#[derive(Debug)]
pub struct Adam {
    /// The first beta, the decay of the gradients' average: 0.9 in PyTorch and in fast.ai.
    pub mom: f64,
    /// The second beta, the decay of the squared gradients' average: 0.999 in PyTorch, 0.99 in fast.ai.
    pub sqr_mom: f64,
    /// Added to the denominator: 1e-8 in PyTorch, 1e-5 in fast.ai.
    pub eps: f64,
    /// Weight decay per unit of learning rate: 0 in PyTorch's `Adam`, 0.01 in its `AdamW` and in fast.ai.
    pub wd: f64,
    /// Whether weight decay multiplies the parameter by `1 - lr·wd` before the step (fast.ai, AdamW; Loshchilov and
    /// Hutter, 2019) or adds `wd·p` to the gradient (PyTorch's `Adam`).
    pub decouple_wd: bool,
    /// Whether weight decay includes biases and normalisation layers, as in PyTorch; not in fast.ai.
    pub wd_bn_bias: bool,
    memory: BTreeMap<String, Memory>,
}

#[derive(Debug)]
struct Memory {
    grad_avg: Var,
    sqr_avg: Var,
    /// For a table with sparse gradients, the step at which each row was last updated.
    row_steps: Option<Var>,
    step: u64,
}

impl Adam {
    /// fast.ai's `Adam`: betas 0.9 and 0.99, epsilon 1e-5, decoupled weight decay 0.01 except on biases and
    /// normalisation layers.
    pub fn fastai() -> Adam {
        Adam {
            mom: 0.9,
            sqr_mom: 0.99,
            eps: 1e-5,
            wd: 0.01,
            decouple_wd: true,
            wd_bn_bias: false,
            memory: BTreeMap::new(),
        }
    }

    /// PyTorch's `torch.optim.Adam(weight_decay=wd)`: betas 0.9 and 0.999, epsilon 1e-8.
    pub fn torch(wd: f64) -> Adam {
        Adam { sqr_mom: 0.999, eps: 1e-8, wd, decouple_wd: false, wd_bn_bias: true, ..Adam::fastai() }
    }

    /// PyTorch's `torch.optim.AdamW(weight_decay=wd)`: betas 0.9 and 0.999, epsilon 1e-8, decoupled weight decay.
    pub fn adamw(wd: f64) -> Adam {
        Adam { decouple_wd: true, ..Adam::torch(wd) }
    }
}

impl Optimizer for Adam {
    fn step(&mut self, params: &[Param], grads: &GradStore, hypers: &Hypers) -> Result<()> {
        let (mom, sqr_mom, eps) = (hypers.mom.unwrap_or(self.mom), self.sqr_mom, self.eps);
        for param in params.iter().filter(|p| p.trainable()) {
            let Some(grad) = grads.get(param.var()) else { continue };
            let (var, lr) = (param.var(), hypers.lr_of(param));
            let grad = grad.detach();
            if !self.memory.contains_key(param.name()) {
                let zeros = || -> Result<Var> { Ok(Var::from_tensor(&var.zeros_like()?)?) };
                let memory = Memory { grad_avg: zeros()?, sqr_avg: zeros()?, row_steps: None, step: 0 };
                self.memory.insert(param.name().to_string(), memory);
            }
            let Some(memory) = self.memory.get_mut(param.name()) else { continue };
            memory.step += 1;
            let t = memory.step.min(i32::MAX as u64) as i32;
            let (debias1, debias2) = (1.0 - mom.powi(t), 1.0 - sqr_mom.powi(t));
            let wd = if decays(param, self.wd_bn_bias) { self.wd } else { 0.0 };
            let decay = rows::decay(wd, lr, self.decouple_wd);
            let adam = AdamStep { step: t as u32, mom, sqr_mom, rate: lr / debias1, debias: debias2, eps };
            let averages = [&memory.grad_avg, &memory.sqr_avg];
            if let Some((touched, values)) = rows::touched(param, grads, memory.row_steps.as_ref())? {
                let row_steps = match memory.row_steps.take() {
                    Some(row_steps) => row_steps,
                    None => rows::row_steps(param, t as u32 - 1)?,
                };
                let grad = RowGradient { rows: &touched, values: &values };
                kernels::adam_rows(var, averages, &row_steps, grad, decay, &adam)?;
                memory.row_steps = Some(row_steps);
                continue;
            }
            kernels::adam_step(var, averages, &grad, decay, &adam)?;
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let Adam { mom, sqr_mom, eps, wd, decouple_wd, wd_bn_bias, .. } = self;
        format!(
            "Adam, mom {mom}, sqr_mom {sqr_mom}, eps {eps}, wd {wd}, decouple_wd {decouple_wd}, wd_bn_bias {wd_bn_bias}"
        )
    }

    fn state(&self) -> OptimState {
        let mut state = OptimState::default();
        for (name, memory) in &self.memory {
            state.tensors.insert(format!("grad_avg/{name}"), memory.grad_avg.as_detached_tensor());
            state.tensors.insert(format!("sqr_avg/{name}"), memory.sqr_avg.as_detached_tensor());
            state.steps.insert(name.clone(), memory.step);
            rows::put(&mut state, name, memory.row_steps.as_ref());
        }
        state
    }

    fn set_state(&mut self, state: OptimState) -> Result<()> {
        if rows::averages(&state).count() != 2 * state.steps.len() {
            return Err(other_memory());
        }
        rows::check(&state, |name| state.steps.contains_key(name))?;
        let copy = |average: &str, name: &str| -> Result<Var> {
            let tensor = state.tensors.get(&format!("{average}/{name}")).ok_or_else(other_memory)?;
            Ok(Var::from_tensor(&tensor.copy()?)?)
        };
        let remember = |(name, &step): (&String, &u64)| -> Result<(String, Memory)> {
            let (grad_avg, sqr_avg) = (copy("grad_avg", name)?, copy("sqr_avg", name)?);
            Ok((name.clone(), Memory { grad_avg, sqr_avg, row_steps: rows::copy(&state, name)?, step }))
        };
        self.memory = state.steps.iter().map(remember).collect::<Result<_>>()?;
        Ok(())
    }
}
