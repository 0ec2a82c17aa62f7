//! The networks: against PyTorch's numbers, and what all of them promise.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bf16;
mod head;
mod onnx;
mod photos;
mod promises;
mod reference;
mod summary;
mod unet;
mod zoo;
