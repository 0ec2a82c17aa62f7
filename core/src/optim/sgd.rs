//! Stochastic gradient descent.

use super::{Hypers, OptimState, Optimizer, decays, other_memory, rows};
use crate::error::Result;
use crate::kernels::{self, Decay, RowGradient, SgdStep};
use crate::nn::Param;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// Stochastic gradient descent with momentum, Nesterov momentum and weight decay. PyTorch's `torch.optim.SGD` without
/// dampening, fast.ai's `SGD`.
///
/// ```text
/// buf ← mom·buf + g
/// p ← p - lr·buf                 (with Nesterov: p - lr·(g + mom·buf))
/// ```
///
/// The default has no momentum and no weight decay.
#[derive(Debug, Default)]
pub struct Sgd {
    /// Momentum. With 0, the default, there is no buffer, and schedules do not change it, as in fast.ai's `SGD(mom=0)`;
    /// any other value is replaced by the schedule's momentum if that has one ([`super::OneCycle`]).
    pub mom: f64,
    /// Whether to use Nesterov momentum (Sutskever et al., 2013); not by default.
    pub nesterov: bool,
    /// Weight decay per unit of learning rate; 0 by default.
    pub wd: f64,
    /// Whether weight decay multiplies the parameter by `1 - lr·wd` before the step (fast.ai) or adds `wd·p` to the
    /// gradient (PyTorch, the default).
    pub decouple_wd: bool,
    /// Whether weight decay includes biases and normalisation layers, as in PyTorch; not in fast.ai.
    pub wd_bn_bias: bool,
    averages: BTreeMap<String, Average>,
}

#[derive(Debug)]
struct Average {
    grad_avg: Var,
    /// For a table with sparse gradients, whether each row has been updated.
    row_steps: Option<Var>,
}

impl Sgd {
    /// Plain gradient descent: no momentum, no weight decay.
    pub fn new() -> Sgd {
        Sgd::default()
    }

    /// PyTorch's `torch.optim.SGD(momentum=mom, weight_decay=wd)`.
    pub fn torch(mom: f64, wd: f64) -> Sgd {
        Sgd { mom, wd, wd_bn_bias: true, ..Sgd::default() }
    }

    /// fast.ai's `SGD(mom=mom, wd=wd)`: decoupled weight decay, except on biases and normalisation layers.
    pub fn fastai(mom: f64, wd: f64) -> Sgd {
        Sgd { mom, wd, decouple_wd: true, ..Sgd::default() }
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, params: &[Param], grads: &GradStore, hypers: &Hypers) -> Result<()> {
        let mom = if self.mom == 0.0 { 0.0 } else { hypers.mom.unwrap_or(self.mom) };
        for param in params.iter().filter(|p| p.trainable()) {
            let Some(grad) = grads.get(param.var()) else { continue };
            let (var, lr) = (param.var(), hypers.lr_of(param));
            let grad = grad.detach();
            let wd = if decays(param, self.wd_bn_bias) { self.wd } else { 0.0 };
            let decay = rows::decay(wd, lr, self.decouple_wd);
            let known = self.averages.get(param.name()).and_then(|average| average.row_steps.as_ref());
            if let Some((touched, values)) = rows::touched(param, grads, known)? {
                let grad = RowGradient { rows: &touched, values: &values };
                self.step_rows(param, grad, decay, lr, mom)?;
                continue;
            }
            let sgd = SgdStep { lr, mom, nesterov: self.nesterov };
            if mom == 0.0 {
                kernels::sgd_step(var, None, &grad, decay, &sgd)?;
                continue;
            }
            if !self.averages.contains_key(param.name()) {
                let average = Average { grad_avg: Var::from_tensor(&var.zeros_like()?)?, row_steps: None };
                self.averages.insert(param.name().to_string(), average);
            }
            let Some(Average { grad_avg: average, .. }) = self.averages.get(param.name()) else { continue };
            kernels::sgd_step(var, Some(average), &grad, decay, &sgd)?;
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let Sgd { mom, nesterov, wd, decouple_wd, wd_bn_bias, .. } = self;
        format!("SGD, mom {mom}, nesterov {nesterov}, wd {wd}, decouple_wd {decouple_wd}, wd_bn_bias {wd_bn_bias}")
    }

    fn state(&self) -> OptimState {
        let mut state = OptimState::default();
        for (name, average) in &self.averages {
            state.tensors.insert(format!("grad_avg/{name}"), average.grad_avg.as_detached_tensor());
            rows::put(&mut state, name, average.row_steps.as_ref());
        }
        state
    }

    fn set_state(&mut self, state: OptimState) -> Result<()> {
        if !state.steps.is_empty() {
            return Err(other_memory());
        }
        rows::check(&state, |name| state.tensors.contains_key(&format!("grad_avg/{name}")))?;
        let remember = |(name, tensor): (&String, &Tensor)| -> Result<(String, Average)> {
            let name = name.strip_prefix("grad_avg/").ok_or_else(other_memory)?;
            let grad_avg = Var::from_tensor(&tensor.copy()?)?;
            Ok((name.to_string(), Average { grad_avg, row_steps: rows::copy(&state, name)? }))
        };
        self.averages = rows::averages(&state).map(remember).collect::<Result<_>>()?;
        Ok(())
    }
}

impl Sgd {
    /// A step on a table of which a batch touched some rows.
    fn step_rows(&mut self, param: &Param, grad: RowGradient<'_>, decay: Decay, lr: f64, mom: f64) -> Result<()> {
        let (var, name) = (param.var(), param.name());
        if mom == 0.0 {
            return Ok(kernels::descend_rows(var, grad, decay, lr)?);
        }
        let (grad_avg, row_steps) = match self.averages.remove(name) {
            // Until now its gradient was dense: all rows move.
            Some(Average { grad_avg, row_steps: None }) => (grad_avg, rows::row_steps(param, 1)?),
            Some(Average { grad_avg, row_steps: Some(row_steps) }) => (grad_avg, row_steps),
            None => (Var::from_tensor(&var.zeros_like()?)?, rows::row_steps(param, 0)?),
        };
        let sgd = SgdStep { lr, mom, nesterov: self.nesterov };
        let stepped = kernels::momentum_rows(var, &grad_avg, &row_steps, grad, decay, &sgd);
        self.averages.insert(name.to_string(), Average { grad_avg, row_steps: Some(row_steps) });
        Ok(stepped?)
    }
}
