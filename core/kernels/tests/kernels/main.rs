//! The kernels against plain loops in f64, the portable path against the fast one, and the bad inputs that both refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod activation;
mod attention;
mod batch_norm;
mod chain;
mod conv2d;
mod embedding;
mod layers;
mod levels;
mod linear;
mod lstm;
mod max_pool2d;
mod pixels;
mod pool;
mod ready;
mod step;

/// What outputs and gradients may be off by, relative to the largest magnitude.
const TOLERANCE: f64 = 1e-4;
