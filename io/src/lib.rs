//! Files, for all packages of Tallow: written whole or not at all ([`atomic`]), hashed ([`hash`]), received in parts
//! that resume ([`download`]), in two formats that several packages write ([`safetensors`], [`csv`]); the [`date`],
//! and [`text`] as it may be shown.
//!
//! Nothing here opens a socket: a [`download::ByteSource`] brings the bytes. What fails is always an [`Error`] of the
//! operating system, and names the file.
//!
//! ```
//! let folder = std::env::temp_dir().join("tallow-io-example");
//! tallow_io::atomic::write(folder.join("abc.txt"), "abc")?;
//! assert_eq!(tallow_io::hash::file(folder.join("abc.txt"))?.bytes, 3);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), tallow_io::Error>(())
//! ```
#![warn(clippy::indexing_slicing)]

pub mod atomic;
pub mod csv;
pub mod date;
pub mod download;
mod dtype;
mod error;
pub mod fault;
pub mod hash;
pub mod inside;
pub mod read;
pub mod safetensors;
mod size;
pub mod text;

pub use dtype::Dtype;
pub use error::{Error, Result};
pub use size::megabytes;
