//! Whether what a checkpoint holds can have been written by this learner: a number that is believed would train
//! something else without a word.
#![warn(clippy::indexing_slicing)]

use super::recorder::Recorder;
use super::weights::not_finite;
use crate::error::Result;
use crate::nn::Params;
use candle_core::{DType, Tensor};
use std::collections::{BTreeMap, HashSet};

/// What is wrong, in words that can follow the file's name.
pub(super) type Verdict = std::result::Result<(), String>;

/// The network's tensors: names are compared when they are loaded.
pub(super) fn network(tensors: &BTreeMap<String, Tensor>, params: &Params) -> Result<Verdict> {
    for param in params.all() {
        let Some(tensor) = tensors.get(param.name()) else { continue };
        if tensor.dtype() != param.var().dtype() {
            let (name, theirs, ours) = (param.name(), tensor.dtype(), param.var().dtype());
            return Ok(Err(format!("has {theirs:?} in `model/{name}`, where {ours:?} is expected")));
        }
    }
    let floats = tensors.iter().filter(|(_, tensor)| tensor.dtype().is_float());
    if let Some((name, value)) = not_finite(floats.clone().map(|(name, tensor)| (name.as_str(), tensor.clone())))? {
        return Ok(Err(format!("holds {value} in `model/{name}`: the training had diverged")));
    }
    for (name, tensor) in floats.filter(|(name, _)| name.ends_with("running_var")) {
        if let Some(value) = negative(tensor)? {
            return Ok(Err(format!("holds the variance {value} in `model/{name}`")));
        }
    }
    Ok(Ok(()))
}

/// The optimizer's averages, each of a parameter and of its shape, and its counts of steps.
pub(super) fn memory(
    tensors: &BTreeMap<String, Tensor>,
    steps: &BTreeMap<String, u64>,
    params: &Params,
    n_batches: usize,
) -> Result<Verdict> {
    let all = params.all();
    for (name, tensor) in tensors {
        let Some((average, of)) = name.split_once('/').filter(|(kind, _)| ["grad_avg", "sqr_avg"].contains(kind))
        else {
            continue;
        };
        let Some(param) = all.iter().find(|param| param.name() == of) else {
            return Ok(Err(format!("has `optimizer/{name}` of no parameter")));
        };
        if tensor.dims() != param.dims() || tensor.dtype() != param.var().dtype() {
            let (theirs, ours) = (tensor.dims(), param.dims());
            return Ok(Err(format!("has {:?} {theirs:?} in `optimizer/{name}`, not {ours:?}", tensor.dtype())));
        }
        if let Some((_, value)) = not_finite([(name.as_str(), tensor.clone())])? {
            return Ok(Err(format!("holds {value} in `optimizer/{name}`: the training had diverged")));
        }
        if let (true, Some(value)) = (average == "sqr_avg", negative(tensor)?) {
            return Ok(Err(format!("holds {value}, the average of squares, in `optimizer/{name}`")));
        }
    }
    Ok(match steps.iter().find(|&(_, &step)| step > n_batches as u64) {
        Some((name, step)) => Err(format!("counts {step} steps of `{name}` in {n_batches} batches")),
        None => Ok(()),
    })
}

/// The random streams by name.
pub(super) fn streams(positions: &BTreeMap<String, u64>, params: &Params) -> Verdict {
    let ours: HashSet<String> = params.stream_positions().into_keys().collect();
    let theirs: HashSet<&String> = positions.keys().collect();
    match ours.iter().find(|name| !theirs.contains(name)) {
        Some(name) => Err(format!("does not say where the random stream `{name}` was")),
        None => Ok(()),
    }
}

/// The history, and the number of epochs that it is of.
pub(super) fn history(recorder: &Recorder, epochs_before: usize, epoch: usize) -> Verdict {
    recorder.check()?;
    let rows = recorder.rows.len();
    match epochs_before.checked_add(epoch) {
        // More epochs than rows: a fit that ended at a loss of NaN has none of its last epoch.
        Some(epochs) if epochs >= rows => Ok(()),
        _ => Err(format!("has {rows} rows in its history after {epochs_before} epochs and {epoch} of the current fit")),
    }
}

fn negative(tensor: &Tensor) -> Result<Option<f64>> {
    if tensor.elem_count() == 0 {
        return Ok(None);
    }
    let least = tensor.flatten_all()?.min(0)?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
    Ok((least < 0.0).then_some(least))
}
