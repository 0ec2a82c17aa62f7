//! Tracing: which operations made a result, and of what. It is where an export to another format begins.

use super::{Activation, ConvParams, Pool};
use candle_core::{Result, Shape, Tensor, TensorId};
use std::cell::RefCell;
use std::collections::HashMap;

/// An operation with its inputs. Images are channels-last, as everywhere in this library.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // The fields are the arguments of the function that the variant is named after.
pub enum Operation {
    ChannelsLast {
        xs: Tensor,
    },
    ChannelsFirst {
        xs: Tensor,
    },
    Conv2d {
        xs: Tensor,
        weight: Tensor,
        bias: Option<Tensor>,
        windows: ConvParams,
        residual: Option<Tensor>,
        activation: Activation,
    },
    BatchNorm {
        xs: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        var: Tensor,
        eps: f64,
        residual: Option<Tensor>,
        activation: Activation,
    },
    LayerNorm {
        xs: Tensor,
        weight: Tensor,
        bias: Tensor,
        eps: f64,
    },
    Linear {
        xs: Tensor,
        weight: Tensor,
        bias: Option<Tensor>,
    },
    Activate {
        xs: Tensor,
        activation: Activation,
    },
    Add {
        a: Tensor,
        b: Tensor,
    },
    Product {
        a: Tensor,
        b: Tensor,
    },
    Affine {
        xs: Tensor,
        scale: f64,
        shift: f64,
    },
    Scale {
        xs: Tensor,
        factors: Tensor,
    },
    SumLast {
        xs: Tensor,
    },
    Cat {
        xs: Vec<Tensor>,
    },
    MaxPool2d {
        xs: Tensor,
        pool: Pool,
    },
    AvgPool2d {
        xs: Tensor,
        pool: Pool,
        count_include_pad: bool,
    },
    AdaptiveMaxPool2d {
        xs: Tensor,
        size: [usize; 2],
    },
    AdaptiveAvgPool2d {
        xs: Tensor,
        size: [usize; 2],
    },
    GlobalAvgPool2d {
        xs: Tensor,
    },
    ConcatPool2d {
        xs: Tensor,
    },
    PixelShuffle {
        xs: Tensor,
        r: usize,
    },
    UpsampleNearest2d {
        xs: Tensor,
        size: [usize; 2],
    },
    Embedding {
        table: Tensor,
        ids: Tensor,
    },
    /// The row of a table for each place of a text, `[L, W]`.
    PositionEmbedding {
        table: Tensor,
        ids: Tensor,
    },
    /// The first row of a table for every id.
    FirstEmbedding {
        table: Tensor,
        ids: Tensor,
    },
    /// Of queries, keys and values, `[N, L, W]`, by so many heads. Where `ids`, `[N, L]`, are 0 there is padding.
    Attention {
        q: Tensor,
        k: Tensor,
        v: Tensor,
        heads: usize,
        ids: Tensor,
    },
    /// The mean over the places whose `ids` are not 0: `[N, L, W]` → `[N, W]`.
    MaskedMean {
        xs: Tensor,
        ids: Tensor,
    },
    /// Rows made one long.
    Normalize {
        xs: Tensor,
    },
    Column {
        xs: Tensor,
        column: usize,
    },
    /// To the shape of the result.
    Reshape {
        xs: Tensor,
    },
    /// Of each column of `xs` sines and cosines of its products with `frequencies`, through a linear layer and ReLU of
    /// the column's own.
    EmbeddedNumbers {
        xs: Tensor,
        frequencies: Tensor,
        weight: Tensor,
        bias: Tensor,
    },
}

/// An operation and its result.
#[derive(Debug, Clone)]
pub struct Traced {
    /// What was done.
    pub operation: Operation,
    /// What came out.
    pub result: Tensor,
}

/// What [`trace`] saw.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// The operations, in order.
    pub operations: Vec<Traced>,
    /// The names of the tensors that were given one by [`name`].
    pub names: HashMap<TensorId, String>,
}

thread_local! {
    static TRACE: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// Runs `f` and returns, beside its result, the operations of this library that ran in it on this thread. candle's own
/// operations are not seen: a network that uses them on its activations cannot be traced.
pub fn trace<T>(f: impl FnOnce() -> T) -> (T, Trace) {
    let _restore = Restore(TRACE.replace(Some(Trace::default())));
    let result = f();
    (result, TRACE.take().unwrap_or_default())
}

/// Runs `f` without the trace that there may be on this thread.
pub(super) fn apart<T>(f: impl FnOnce() -> T) -> T {
    let _restore = Restore(TRACE.take());
    f()
}

/// Whether there is a [`trace`] on this thread. Layers that keep packed weights run the plain operations for it.
pub fn tracing() -> bool {
    TRACE.with_borrow(Option::is_some)
}

/// Tells a trace what a tensor is called.
pub fn name(tensor: &Tensor, name: &str) {
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            trace.names.insert(tensor.id(), name.to_string());
        }
    });
}

/// Runs `f` as one operation: what runs inside of it is not recorded.
///
/// # Errors
/// Those of `f`.
pub fn traced<E>(
    operation: impl FnOnce() -> Operation,
    f: impl FnOnce() -> std::result::Result<Tensor, E>,
) -> std::result::Result<Tensor, E> {
    if !tracing() {
        return f();
    }
    let outer = Restore(TRACE.take());
    let result = f()?;
    drop(outer);
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            trace.operations.push(Traced { operation: operation(), result: result.clone() });
        }
    });
    Ok(result)
}

/// Puts the trace from before back, even after a panic.
struct Restore(Option<Trace>);

impl Drop for Restore {
    fn drop(&mut self) {
        TRACE.set(self.0.take());
    }
}

/// candle's `reshape`, as a trace sees it.
///
/// # Errors
/// When the shape has another number of elements.
pub fn reshape(xs: &Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
    traced(|| Operation::Reshape { xs: xs.clone() }, || xs.reshape(shape.into()))
}

/// A column of a matrix, as a trace sees it: `[N, C]` → `[N]`.
///
/// # Errors
/// When there is no such column.
pub fn column(xs: &Tensor, column: usize) -> Result<Tensor> {
    traced(|| Operation::Column { xs: xs.clone(), column }, || xs.narrow(1, column, 1)?.squeeze(1)?.contiguous())
}

/// candle's elementwise product, as a trace sees it.
///
/// # Errors
/// When the shapes differ.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    traced(|| Operation::Product { a: a.clone(), b: b.clone() }, || a * b)
}

/// `scale * xs + shift`, as a trace sees it.
///
/// # Errors
/// When the device cannot allocate it.
pub fn affine(xs: &Tensor, scale: f64, shift: f64) -> Result<Tensor> {
    traced(|| Operation::Affine { xs: xs.clone(), scale, shift }, || xs.affine(scale, shift))
}

/// `scale * xs + shift` for each channel or column, as a trace sees it: `xs` `[.., C]`, `scale` and `shift` `[C]`.
///
/// # Errors
/// When the shapes do not fit.
pub fn scale_shift(xs: &Tensor, scale: &Tensor, shift: &Tensor) -> Result<Tensor> {
    let (mean, var) = (shift.zeros_like()?, scale.ones_like()?);
    let operation = || Operation::BatchNorm {
        xs: xs.clone(),
        weight: scale.clone(),
        bias: shift.clone(),
        mean,
        var,
        eps: 0.0,
        residual: None,
        activation: Activation::None,
    };
    traced(operation, || xs.broadcast_mul(scale)?.broadcast_add(shift))
}

/// The sums over the last axis, as a trace sees them.
///
/// # Errors
/// When `xs` is a scalar.
pub fn sum_last(xs: &Tensor) -> Result<Tensor> {
    traced(|| Operation::SumLast { xs: xs.clone() }, || xs.sum(candle_core::D::Minus1))
}

impl Operation {
    /// The tensors that it takes.
    pub fn inputs(&self) -> Vec<&Tensor> {
        match self {
            Operation::ChannelsLast { xs }
            | Operation::ChannelsFirst { xs }
            | Operation::Activate { xs, .. }
            | Operation::Affine { xs, .. }
            | Operation::SumLast { xs }
            | Operation::Normalize { xs }
            | Operation::MaxPool2d { xs, .. }
            | Operation::AvgPool2d { xs, .. }
            | Operation::AdaptiveMaxPool2d { xs, .. }
            | Operation::AdaptiveAvgPool2d { xs, .. }
            | Operation::GlobalAvgPool2d { xs }
            | Operation::ConcatPool2d { xs }
            | Operation::PixelShuffle { xs, .. }
            | Operation::UpsampleNearest2d { xs, .. }
            | Operation::Column { xs, .. }
            | Operation::Reshape { xs } => vec![xs],
            Operation::Conv2d { xs, weight, bias, residual, .. } => {
                [xs, weight].into_iter().chain(bias).chain(residual).collect()
            }
            Operation::BatchNorm { xs, weight, bias, mean, var, residual, .. } => {
                [xs, weight, bias, mean, var].into_iter().chain(residual).collect()
            }
            Operation::LayerNorm { xs, weight, bias, .. } => vec![xs, weight, bias],
            Operation::Linear { xs, weight, bias } => [xs, weight].into_iter().chain(bias).collect(),
            Operation::Add { a, b } | Operation::Product { a, b } => vec![a, b],
            Operation::Scale { xs, factors } => vec![xs, factors],
            Operation::Cat { xs } => xs.iter().collect(),
            Operation::Embedding { table, ids }
            | Operation::PositionEmbedding { table, ids }
            | Operation::FirstEmbedding { table, ids } => vec![table, ids],
            Operation::Attention { q, k, v, ids, .. } => vec![q, k, v, ids],
            Operation::MaskedMean { xs, ids } => vec![xs, ids],
            Operation::EmbeddedNumbers { xs, frequencies, weight, bias } => vec![xs, frequencies, weight, bias],
        }
    }

    /// Its name, as the variant has it.
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split([' ', '{']).next().unwrap_or_default().to_string()
    }
}
