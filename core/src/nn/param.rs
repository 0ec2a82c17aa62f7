//! One tensor of a network: what it is called, what it is for, and how it learns.

use crate::error::Result;
use crate::kernels::{self, RowGradient};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What a parameter is for. Optimizers treat the kinds differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// The weight of a linear layer, a convolution, an embedding.
    Weight,
    /// A bias. fast.ai gives it no weight decay.
    Bias,
    /// Scale or shift of a normalisation layer: no weight decay, and it goes on training while its group is frozen.
    Norm,
    /// Not trained but part of the model: running statistics.
    Buffer,
}

/// One tensor of a network. Clones share the tensor.
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

    /// What it is for.
    pub fn kind(&self) -> ParamKind {
        self.0.kind
    }

    /// The variable behind it, for optimizers and for loading weights. The caller may change it, so what
    /// layers keep for inference, made of the old values, is made anew. Do not keep it for changes later.
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

    /// The tensor to compute with. A frozen parameter comes detached, so that no gradient is computed for it, and so
    /// does every parameter inside of [`kernels::no_grad`].
    pub fn tensor(&self) -> Tensor {
        if self.trainable() && kernels::grad_enabled() {
            self.0.var.as_tensor().clone()
        } else {
            self.0.var.as_detached_tensor()
        }
    }

    /// Its gradient, in its own shape. That of an [`Embedding`](super::Embedding) is computed for the rows that a batch
    /// touched, and `grads.get(param.var())` gives those rows alone; here the others are there too, with zeros.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn gradient(&self, grads: &GradStore) -> Result<Option<Tensor>> {
        match self.row_gradient(grads) {
            Some(rows) => Ok(Some(rows.dense(self.dims())?)),
            None => Ok(grads.get(&self.0.var).map(Tensor::detach)),
        }
    }

    /// The rows of a sparse gradient and their gradients: how [`Embedding`](super::Embedding) learns. `None` where the
    /// gradient is dense, or there is none.
    pub fn row_gradient<'a>(&self, grads: &'a GradStore) -> Option<RowGradient<'a>> {
        let (rows, values) = (grads.get(&self.0.row_key)?, grads.get(&self.0.var)?);
        Some(RowGradient { rows, values })
    }

    /// Takes the gradient out, in the parameter's own shape.
    pub(crate) fn take_gradient(&self, grads: &mut GradStore) -> Result<Option<Tensor>> {
        let gradient = self.gradient(grads)?;
        grads.remove(&self.0.row_key);
        grads.remove(&self.0.var);
        Ok(gradient)
    }

    /// What stands for the numbers of the rows of a sparse gradient.
    pub(crate) fn row_key(&self) -> &Tensor {
        &self.0.row_key
    }

    /// Whether an optimizer moves it.
    pub fn trainable(&self) -> bool {
        self.kind() != ParamKind::Buffer && !self.0.frozen.load(Ordering::Relaxed)
    }

    /// Whether it is a running statistic that stays as it is ([`super::Params::freeze_batch_norm`]).
    pub fn fixed(&self) -> bool {
        self.0.fixed.load(Ordering::Relaxed)
    }

    /// Its group, from 0: groups have learning rates of their own.
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
