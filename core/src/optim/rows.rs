//! What optimizers share for tables of which a step touches some rows ([`Param::row_gradient`]).

use super::{OptimState, other_memory};
use crate::error::Result;
use crate::kernels::{Decay, RowGradient};
use crate::nn::Param;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

/// Under which name an [`OptimState`] has the bookkeeping of a table's rows.
const ROW_STEPS: &str = "row_steps/";

/// The numbers and gradients of the rows that a batch touched: all of them if the gradient is dense now but was sparse
/// before (`row_steps`), none if it has always been dense.
pub(super) fn touched(param: &Param, grads: &GradStore, row_steps: Option<&Var>) -> Result<Option<(Tensor, Tensor)>> {
    if let Some(RowGradient { rows, values }) = param.row_gradient(grads) {
        return Ok(Some((rows.clone(), values.detach())));
    }
    match (row_steps, param.gradient(grads)?) {
        (Some(_), Some(grad)) => Ok(Some((Tensor::arange(0, grad.dim(0)? as u32, grad.device())?, grad))),
        _ => Ok(None),
    }
}

/// The bookkeeping of a table whose rows have all been changed in this step, or never if it is 0.
pub(super) fn row_steps(param: &Param, step: u32) -> Result<Var> {
    let rows = param.dims().first().copied().unwrap_or_default();
    Ok(Var::from_tensor(&Tensor::full(step, rows, &candle_core::Device::Cpu)?)?)
}

/// Weight decay as the kernels take it.
pub(super) fn decay(wd: f64, lr: f64, decoupled: bool) -> Decay {
    if decoupled { Decay { keep: 1.0 - lr * wd, l2: 0.0 } } else { Decay { keep: 1.0, l2: wd } }
}

/// Adds the bookkeeping of a table to a state.
pub(super) fn put(state: &mut OptimState, name: &str, row_steps: Option<&Var>) {
    if let Some(row_steps) = row_steps {
        state.tensors.insert(format!("{ROW_STEPS}{name}"), row_steps.as_detached_tensor());
    }
}

/// A copy of what [`put`] added.
pub(super) fn copy(state: &OptimState, name: &str) -> Result<Option<Var>> {
    let found = state.tensors.get(&format!("{ROW_STEPS}{name}"));
    found.map(|row_steps| Ok(Var::from_tensor(&row_steps.copy()?)?)).transpose()
}

/// The tensors of a state that are running averages, with their names.
pub(super) fn averages(state: &OptimState) -> impl Iterator<Item = (&String, &Tensor)> {
    state.tensors.iter().filter(|(name, _)| !name.starts_with(ROW_STEPS))
}

/// Refuses bookkeeping of a table that has no averages.
pub(super) fn check(state: &OptimState, known: impl Fn(&str) -> bool) -> Result<()> {
    let mut names = state.tensors.keys().filter_map(|name| name.strip_prefix(ROW_STEPS));
    if names.all(known) { Ok(()) } else { Err(other_memory()) }
}
