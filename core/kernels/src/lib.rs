//! The kernels of Tallow, for any program that trains with candle.
#![doc = include_str!("../README.md")]

// `blank` is memory that is about to be written, and the only way to a result; `values` is what tensors hold. `simd`
// chooses the vector instructions, `tiles` multiplies matrices, `graph` records operations for the backward pass; the
// other modules are an operation each. `unsafe` is for five things: memory whose values are still to be written,
// results of which several threads write parts that are not blocks in order, pointers into the matrix products, their
// instructions for `bf16`, and one setting of the C library.

mod activation;
mod attention;
mod avg_pool2d;
mod awake;
mod batch_norm;
mod batch_stats;
mod bce;
mod blank;
mod cat;
mod channels_last;
mod concat_pool2d;
mod conv2d;
mod dropout;
mod elementwise;
mod embedding;
mod graph;
mod in_place;
mod layer_norm;
mod linear;
mod lstm;
mod masked_concat_pool;
mod math;
mod max_pool2d;
mod mean_square;
mod memory;
mod precision;
mod resample;
mod row_gradient;
mod row_step;
mod scale;
mod shared;
mod shuffle;
mod simd;
mod softmax;
mod step;
mod sums;
mod tiles;
pub mod trace;
mod upsample;
mod values;
mod windows;
mod zip;

pub use activation::{Activation, activate, relu};
pub use attention::attention;
pub use avg_pool2d::{adaptive_avg_pool2d, avg_pool2d, global_avg_pool2d};
pub use awake::awake;
pub use batch_norm::{BatchNormOptions, batch_norm};
pub use batch_stats::{BatchStats, Spread, batch_stats};
pub use bce::bce_with_logits;
pub use cat::cat;
pub use channels_last::{channels_first, channels_last};
pub use concat_pool2d::concat_pool2d;
pub use conv2d::{ConvParams, ConvStep, PreparedConv, conv_chain, conv2d, conv2d_with};
pub use dropout::{dropout, dropout_mask};
pub use elementwise::add;
pub use embedding::embedding;
pub use graph::{backward, backward_with, grad_enabled, no_grad, recorded};
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use lstm::{LstmOutput, LstmWeights, lstm};
pub use masked_concat_pool::masked_concat_pool;
pub use max_pool2d::{adaptive_max_pool2d, max_pool2d};
pub use mean_square::{mean_square, mean_square_of_changes};
pub use memory::keep_freed_memory;
pub use precision::to_dtype;
pub use row_gradient::RowGradient;
pub use row_step::{adam_rows, descend_rows, momentum_rows};
pub use scale::{scale, scale_samples};
pub use shuffle::{pixel_shuffle, pixel_unshuffle};
pub use simd::{SIMD_VARIABLE, simd_level};
pub use softmax::{cross_entropy, log_softmax, mean_cross_entropy};
pub use step::{AdamStep, Decay, SgdStep, adam_step, scale_add, sgd_step};
pub use upsample::{upsample_bilinear2d, upsample_nearest2d};
pub use windows::Pool;

use candle_core::{DType, Result, Storage, Tensor};
use values::Stored;

/// Whether the fast CPU code can take this tensor.
fn fast(xs: &Tensor) -> bool {
    xs.device().is_cpu() && matches!(xs.dtype(), DType::F32 | DType::BF16)
}

/// Calls `f` with a CPU tensor's values as they are in memory, made contiguous first if they must be.
fn with_stored<T>(xs: &Tensor, f: impl FnOnce(Stored<'_>) -> Result<T>) -> Result<T> {
    let xs = xs.contiguous()?;
    let (storage, layout) = xs.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(Stored::of(storage, layout)?),
        _ => candle_core::bail!("a CPU kernel got a tensor on another device"),
    }
}

/// [`with_stored`] for values in `f32`, widened first if they are not.
fn with_values<T>(xs: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    with_stored(xs, |xs| f(&xs.all()))
}

/// [`with_values`] for any number of tensors.
fn with_all<T>(xs: &[&Tensor], f: impl FnOnce(&[&[f32]]) -> Result<T>) -> Result<T> {
    let xs: Vec<Tensor> = xs.iter().map(|xs| xs.contiguous()).collect::<Result<_>>()?;
    let storages: Vec<_> = xs.iter().map(Tensor::storage_and_layout).collect();
    let all = storages.iter().map(|(storage, layout)| match &**storage {
        Storage::Cpu(storage) => Ok(Stored::of(storage, layout)?.all()),
        _ => candle_core::bail!("a CPU kernel got a tensor on another device"),
    });
    let all = all.collect::<Result<Vec<_>>>()?;
    f(&all.iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

/// [`with_stored`] for what may not be there.
fn with_optional_stored<T>(xs: Option<&Tensor>, f: impl FnOnce(Option<Stored<'_>>) -> Result<T>) -> Result<T> {
    match xs {
        Some(xs) => with_stored(xs, |xs| f(Some(xs))),
        None => f(None),
    }
}

/// [`with_values`] for what may not be there.
fn with_optional<T>(xs: Option<&Tensor>, f: impl FnOnce(Option<&[f32]>) -> Result<T>) -> Result<T> {
    match xs {
        Some(xs) => with_values(xs, |xs| f(Some(xs))),
        None => f(None),
    }
}
