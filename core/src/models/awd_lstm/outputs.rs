//! What the layers gave to decoder or head, for penalties on it.

use crate::nn::lock;
use candle_core::Tensor;
use std::sync::Mutex;

/// The last layer's results in the latest step of training, with their graph: activation regularisation and its
/// temporal kind (AR and TAR) are penalties on them.
#[derive(Debug, Clone)]
pub struct RnnOutputs {
    /// As they came, `[N, T, emb_size]`.
    pub raw: Tensor,
    /// After the output's dropout; in a classifier the same as `raw`.
    pub dropped: Tensor,
}

/// Where a network leaves them.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<RnnOutputs>>);

impl Slot {
    pub(super) fn put(&self, outputs: RnnOutputs) {
        *lock(&self.0) = Some(outputs);
    }

    pub(super) fn take(&self) -> Option<RnnOutputs> {
        lock(&self.0).take()
    }
}
