//! Packed weights that layers keep for inference.

use crate::error::Result;
use crate::kernels::{self, PreparedConv};
use crate::nn::observe::observed;
use crate::nn::{Param, lock};
use candle_core::{DType, Tensor};
use std::sync::{Arc, Mutex};

/// A convolution's packed weights, for as long as the parameters that they were made of stay as they are.
#[derive(Default)]
pub(crate) struct Prepared(Mutex<Option<(u64, Arc<PreparedConv>)>>);

impl Prepared {
    /// What was made before, or what `make` makes now.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn get(
        &self,
        params: &[&Param],
        make: impl FnOnce() -> Result<PreparedConv>,
    ) -> Result<Arc<PreparedConv>> {
        // Versions only grow, so their sum tells.
        let version = params.iter().map(|param| param.version()).sum();
        if let Some((_, prepared)) = lock(&self.0).as_ref().filter(|(of, _)| *of == version) {
            return Ok(prepared.clone());
        }
        // Not under the lock: what `make` does in parallel may wait on a thread that then wants this very lock.
        let prepared = Arc::new(make()?);
        *lock(&self.0) = Some((version, prepared.clone()));
        Ok(prepared)
    }

    /// Gives the memory back: while a network trains, what is kept would be of no use at the next inference.
    pub(crate) fn forget(&self) {
        *lock(&self.0) = None;
    }
}

/// Whether a result may come from packed weights: in inference on the CPU, without gradients and without an observer of
/// each step.
pub(super) fn may_prepare(xs: &Tensor, train: bool, params: &[&Param]) -> bool {
    let plain = |xs: &Tensor| xs.device().is_cpu() && xs.dtype() == DType::F32 && !xs.track_op();
    !train
        && !observed()
        && !kernels::trace::tracing()
        && plain(xs)
        && params.iter().all(|param| plain(&param.tensor()))
}
