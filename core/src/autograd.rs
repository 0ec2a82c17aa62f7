//! Gradients: computing them, and doing without.
//!
//! PyTorch's verbs. The operations of [`crate::kernels`] belong to candle's graph, so candle's own `loss.backward()`
//! works and gives the same gradients as [`backward`]. But it begins each gradient as a tensor of zeros and adds to
//! it, which is several passes over memory for every parameter and activation; [`backward`] takes the gradients of
//! parameters straight from the operations. A network's forward pass that runs inside of [`recorded`] also hands on
//! the gradients of activations as they are, and frees the activations on the way back; the layers that turn images
//! to channels-last, and whole networks, do so by themselves.

pub use crate::kernels::{backward, grad_enabled, no_grad, recorded};
