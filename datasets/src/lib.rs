//! The datasets behind Tallow's chapters: what they are ([`Manifest`]), where they live on this machine
//! ([`DataFolder`]), whether they are whole ([`check`]), and, with the feature `fetch`, how they get here (`fetch`).
//!
//! MNIST's threes and sevens are part of the program ([`mnist::sample`]), so that a chapter runs on a machine without
//! network:
//!
//! ```
//! let mnist = tallow_datasets::mnist::sample()?;
//! assert_eq!((mnist.train.len(), mnist.valid.len()), (12_396, 2_038));
//! assert_eq!(mnist.train.image(0).len(), 28 * 28);
//! # Ok::<(), tallow_datasets::Error>(())
//! ```
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | what it brings |
//! |---|---|
//! | `fetch` | downloading; without it nothing here opens a socket |
//! | `pth` | reading PyTorch's weight files, without running anything in them |
//! | `efficientnet-lite0` | the package `tallow-efficientnet-lite0`: ImageNet weights inside the program, 9.4 MB |
//! | `drawings` | 335 drawings inside the program, 2.7 MB |

pub mod check;
#[cfg(feature = "fetch")]
mod download;
#[cfg(feature = "fetch")]
mod download_images;
#[cfg(feature = "drawings")]
pub mod drawings;
#[cfg(feature = "efficientnet-lite0")]
pub mod efficientnet_lite0;
pub mod error;
pub mod fashion_mnist;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod folder;
mod gzip;
#[cfg(feature = "fetch")]
mod http;
pub mod idx;
pub mod imagenet;
mod layout;
pub mod manifest;
pub mod mnist;
#[cfg(feature = "fetch")]
mod options;
#[cfg(feature = "fetch")]
mod progress;
#[cfg(feature = "pth")]
pub mod pth;
pub mod tables;
#[cfg(feature = "fetch")]
pub mod unpack;

pub use check::State;
#[cfg(feature = "fetch")]
pub use download_images::{DownloadImages, Downloaded};
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "fetch")]
pub use fetch::Fetcher;
pub use folder::DataFolder;
pub use manifest::{Dataset, Entry, FileSource, Manifest, ManifestHubFile, Unpack};
pub use mnist::{Digits, Mnist};
#[cfg(feature = "fetch")]
pub use options::Options;
#[cfg(feature = "fetch")]
pub use progress::Progress;
