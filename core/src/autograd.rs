//! Gradients: the backward pass, and computing without one.
//!
//! ```
//! use tallow::autograd::{backward, grad_enabled, no_grad};
//! use tallow::candle::{Device, Var};
//! use tallow::kernels::relu;
//! # fn main() -> tallow::Result<()> {
//! let x = Var::new(&[-1f32, 0., 2.], &Device::Cpu)?;
//! let loss = (relu(&x)? + x.sqr()?)?.sum_all()?;
//! let grads = backward(&loss)?;
//! // As PyTorch: relu's gradient at 0 is 0.
//! assert_eq!(grads.get(&x).map(|g| g.to_vec1::<f32>()).transpose()?, Some(vec![-2.0, 0.0, 5.0]));
//! assert!(grad_enabled() && !no_grad(grad_enabled));
//! # Ok(())
//! # }
//! ```
//!
//! The operations of [`crate::kernels`] belong to candle's graph, so candle's own `loss.backward()`
//! works and gives the same gradients as [`backward`]. But candle adds each gradient to a tensor of zeros, which costs
//! several passes over memory for every parameter and activation; [`backward`] takes the gradients of parameters
//! directly from the operations. A forward pass inside [`recorded`] also passes on the gradients of activations without
//! copies, and frees the activations on the way back. Networks, and layers that convert images to channels-last, use it
//! themselves.

pub use crate::kernels::{backward, grad_enabled, no_grad, recorded};
