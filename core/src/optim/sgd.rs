//! Stochastic gradient descent.

use super::{Hypers, OptimState, Optimizer, decays, other_memory};
use crate::error::Result;
use crate::kernels;
use crate::nn::Param;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// SGD with momentum, Nesterov momentum and weight decay, as PyTorch and as fast.ai define them.
///
/// Momentum is not dampened: `buf ← mom·buf + g`, then `p ← p - lr·buf` (with Nesterov: `p - lr·(g + mom·buf)`).
#[derive(Debug, Default)]
pub struct Sgd {
    /// Momentum; 0 keeps no memory and stays 0 whatever a schedule says, as in fast.ai's `SGD(mom=0)`. Any other one is
    /// where the momentum begins that [`super::OneCycle`] moves.
    pub mom: f64,
    /// Nesterov's variant.
    pub nesterov: bool,
    /// Weight decay.
    pub wd: f64,
    /// fast.ai multiplies the parameter by `1 - lr·wd` before the step (`true`); PyTorch adds `wd·p` to the gradient.
    pub decouple_wd: bool,
    /// Whether biases and normalisation layers decay too, as in PyTorch.
    pub wd_bn_bias: bool,
    averages: BTreeMap<String, Var>,
}

impl Sgd {
    /// Plain descent: no momentum, no weight decay.
    pub fn new() -> Sgd {
        Sgd::default()
    }

    /// `torch.optim.SGD(momentum=mom, weight_decay=wd)`.
    pub fn torch(mom: f64, wd: f64) -> Sgd {
        Sgd { mom, wd, wd_bn_bias: true, ..Sgd::default() }
    }

    /// fast.ai's `SGD(mom=mom, wd=wd)`.
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
            let mut grad = grad.detach();
            if self.wd != 0.0 && decays(param, self.wd_bn_bias) {
                if self.decouple_wd {
                    kernels::scale_add(var, 1.0 - lr * self.wd, 0.0, &grad)?;
                } else {
                    grad = (grad + (var.as_detached_tensor() * self.wd)?)?;
                }
            }
            if mom == 0.0 {
                kernels::add_scaled(var, -lr, &grad)?;
                continue;
            }
            if !self.averages.contains_key(param.name()) {
                self.averages.insert(param.name().to_string(), Var::from_tensor(&grad.zeros_like()?)?);
            }
            let Some(average) = self.averages.get(param.name()) else { continue };
            kernels::scale_add(average, mom, 1.0, &grad)?;
            if self.nesterov {
                kernels::add_scaled(var, -lr, &grad)?;
                kernels::add_scaled(var, -lr * mom, &average.as_detached_tensor())?;
            } else {
                kernels::add_scaled(var, -lr, &average.as_detached_tensor())?;
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let Sgd { mom, nesterov, wd, decouple_wd, wd_bn_bias, .. } = self;
        format!("SGD, mom {mom}, nesterov {nesterov}, wd {wd}, decouple_wd {decouple_wd}, wd_bn_bias {wd_bn_bias}")
    }

    fn state(&self) -> OptimState {
        let tensors = self.averages.iter().map(|(k, v)| (format!("grad_avg/{k}"), v.as_detached_tensor())).collect();
        OptimState { tensors, steps: BTreeMap::new() }
    }

    fn set_state(&mut self, state: OptimState) -> Result<()> {
        if !state.steps.is_empty() {
            return Err(other_memory());
        }
        let remember = |(name, tensor): (&String, &Tensor)| -> Result<(String, Var)> {
            let name = name.strip_prefix("grad_avg/").ok_or_else(other_memory)?;
            Ok((name.to_string(), Var::from_tensor(&tensor.copy()?)?))
        };
        self.averages = state.tensors.iter().map(remember).collect::<Result<_>>()?;
        Ok(())
    }
}
