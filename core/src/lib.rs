//! **Tallow**: deep learning in Rust on candle, with fast.ai's shape and PyTorch's numbers.
//!
//! To fine-tune a network on photos of one's own, begin with [`vision_learner`], on pictures with masks with
//! [`unet_learner`]. In reading order: [`error`],
//! [`event`], [`device`], [`rng`] and [`text`] are the ground; [`vision`] makes numbers of photos, [`words`] of texts,
//! and [`data`] batches of files; [`kernels`] and [`autograd`] are the arithmetic that candle lacks; [`nn`] has layers
//! and losses, [`models`] networks, [`optim`] steps and schedules, [`train`] the loop that brings them together,
//! [`collective`] several processes; [`metrics`] judges, [`interpret`] shows what was learnt; [`classic`] is
//! scikit-learn's corner; [`plot`], [`report`] and [`cli`] face the reader.
//!
//! ```
//! use tallow::candle::Device;
//! use tallow::data::{DataLoader, DataLoaders, TensorDataset};
//! use tallow::nn::{Params, Sequential, losses};
//! use tallow::optim::Sgd;
//! use tallow::rng::Rng;
//! use tallow::train::Learner;
//! # fn main() -> tallow::Result<()> {
//! let rng = Rng::new(42);
//! let xs = rng.stream("xs").randn((64, 3), 1.0, &Device::Cpu)?;
//! let ys = xs.sum_keepdim(1)?; // [64, 1]
//! let loader = DataLoader::new(TensorDataset::new(&xs, &ys)?, 8)?;
//! let dls = DataLoaders { train: loader.clone().shuffle(&rng.stream("shuffle")), valid: loader };
//!
//! let params = Params::new(&rng.stream("init"), &Device::Cpu);
//! let model = Sequential::new(&params).linear(3, 1)?;
//! let mut learner = Learner::new(dls, model, &params, losses::mse).opt(Sgd::new());
//! learner.fit(10, 0.1)?;
//! assert!(learner.recorder().rows[9].valid_loss < 1e-3);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `hub` | yes | fetching published weights from the Hugging Face Hub; those on this machine are found without it |
//! | `efficientnet-lite0` | yes | EfficientNet-Lite0's ImageNet weights inside the program, 9.4 MB |
//! | `drawings` | yes | 335 drawings in six classes inside the program, 2.7 MB, and scenes composed of them |
//! | `serve` | yes | `tallow serve`, a model behind a web address |
//! | `parquet` | no | tables of predictions as Parquet |
//! | `mpi` | no | training by several processes; building needs an MPI and libclang |
//! | `cuda`, `cudnn` | no | NVIDIA's graphics cards; building needs its compiler |
//! | `metal` | no | Apple's graphics cards |
//!
//! `default-features = false` leaves a library that opens no socket and has no web server in it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout))]

pub mod collective;
pub mod device;
pub mod error;
pub mod event;
pub mod fingerprint;
pub mod rng;
pub mod text;

pub mod vision;

pub mod words;

pub mod data;

pub use tallow_kernels as kernels;

pub mod autograd;

pub mod nn;

pub mod models;

pub mod optim;

pub mod onnx;

pub mod train;

pub mod collab_learner;
pub mod vision_learner;

pub mod unet_learner;

pub mod tabular_learner;
pub mod text_learner;

pub mod metrics;

pub mod interpret;

pub mod clean;

pub mod card;

pub mod classic;

pub mod samples;

pub mod cli;
pub mod plot;
pub mod report;

pub use candle_core as candle;
pub use error::{Error, Result};
