//! A parameter of a network: its name, kind, group and value.

use crate::error::Result;
use crate::kernels::{self, RowGradient};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// The role of a parameter, on which weight decay and freezing depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// The weight of a linear layer, a convolution or an embedding.
    Weight,
    /// A bias: fast.ai applies no weight decay to it.
    Bias,
    /// Scale or shift of a normalisation layer: fast.ai applies no weight decay to it, and trains it in frozen groups.
    Norm,
    /// A running statistic: saved with the model and never trained. PyTorch's `register_buffer`.
    Buffer,
}

/// A named tensor of a network, PyTorch's `nn.Parameter`. Clones share the tensor.
#[derive(Debug, Clone)]
pub struct Param(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    kind: ParamKind,
    var: Var,
    /// Under which a [`GradStore`] has the numbers of the rows of a sparse gradient.
    row_key: Tensor,
    group: AtomicUsize,
    frozen: AtomicBool,
    fixed: AtomicBool,
    version: AtomicU64,
}

impl Param {
    /// A parameter with this value, trainable and in group 0.
    pub(super) fn new(name: String, kind: ParamKind, value: &Tensor, device: &Device) -> Result<Param> {
        Ok(Param(Arc::new(Inner {
            name,
            kind,
            var: Var::from_tensor(&value.contiguous()?)?,
            row_key: Tensor::zeros(1, DType::U32, device)?,
            group: AtomicUsize::new(0),
            frozen: AtomicBool::new(false),
            fixed: AtomicBool::new(false),
            version: AtomicU64::new(0),
        })))
    }

    /// Its full name, such as `layer1.0.conv1.weight`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its role.
    pub fn kind(&self) -> ParamKind {
        self.0.kind
    }

    /// The variable behind it, for optimizers and for loading weights. The caller may change its values, so layers
    /// rebuild what they cached for inference. Call it anew for each change; a kept reference would leave stale caches.
    pub fn var(&self) -> &Var {
        self.0.version.fetch_add(1, Ordering::Relaxed);
        &self.0.var
    }

    /// Its shape.
    pub fn dims(&self) -> &[usize] {
        self.0.var.dims()
    }

    /// Its number of elements.
    pub fn elem_count(&self) -> usize {
        self.0.var.elem_count()
    }

    /// A number that grows whenever its values may have changed.
    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(Ordering::Relaxed)
    }

    /// The tensor to compute with. It is detached, so that it gets no gradient, if the parameter is frozen or a buffer,
    /// and inside [`kernels::no_grad`].
    pub fn tensor(&self) -> Tensor {
        let tensor = if self.trainable() && kernels::grad_enabled() {
            self.0.var.as_tensor().clone()
        } else {
            self.0.var.as_detached_tensor()
        };
        kernels::trace::name(&tensor, self.name());
        tensor
    }

    /// Its gradient, in the parameter's shape; `None` if there is none. The gradient of an
    /// [`Embedding`](super::Embedding) is stored for the rows that a batch looked up, which is all that
    /// `grads.get(param.var())` returns; here the other rows are filled with zeros.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn gradient(&self, grads: &GradStore) -> Result<Option<Tensor>> {
        match self.row_gradient(grads) {
            Some(rows) => Ok(Some(rows.dense(self.dims())?)),
            None => Ok(grads.get(&self.0.var).map(Tensor::detach)),
        }
    }

    /// The rows of a sparse gradient, such as an [`Embedding`](super::Embedding)'s, and their values; `None` if the
    /// gradient is dense or there is none.
    pub fn row_gradient<'a>(&self, grads: &'a GradStore) -> Option<RowGradient<'a>> {
        let (rows, values) = (grads.get(&self.0.row_key)?, grads.get(&self.0.var)?);
        Some(RowGradient { rows, values })
    }

    /// Removes the gradient from `grads` and returns it in the parameter's shape.
    pub(crate) fn take_gradient(&self, grads: &mut GradStore) -> Result<Option<Tensor>> {
        let gradient = self.gradient(grads)?;
        grads.remove(&self.0.row_key);
        grads.remove(&self.0.var);
        Ok(gradient)
    }

    /// The key of a sparse gradient's row numbers in a [`GradStore`].
    pub(crate) fn row_key(&self) -> &Tensor {
        &self.0.row_key
    }

    /// Whether optimizers update it: it is neither a buffer nor frozen.
    pub fn trainable(&self) -> bool {
        self.kind() != ParamKind::Buffer && !self.0.frozen.load(Ordering::Relaxed)
    }

    /// Whether it is a running statistic that training does not update ([`super::Params::freeze_batch_norm`]).
    pub fn fixed(&self) -> bool {
        self.0.fixed.load(Ordering::Relaxed)
    }

    /// Its parameter group, from 0. Each group has its own learning rate.
    pub fn group(&self) -> usize {
        self.0.group.load(Ordering::Relaxed)
    }

    pub(super) fn set_group(&self, group: usize) {
        self.0.group.store(group, Ordering::Relaxed);
    }

    pub(super) fn set_frozen(&self, frozen: bool) {
        self.0.frozen.store(frozen, Ordering::Relaxed);
    }

    pub(super) fn set_fixed(&self, fixed: bool) {
        self.0.fixed.store(fixed, Ordering::Relaxed);
    }
}
