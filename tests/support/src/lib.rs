//! What tests of several packages share: a web server on this machine that fails on demand ([`Server`]), archives
//! ([`archive`]), manifests that point at them ([`manifest`]), and files ([`payload`], [`sha256`], [`tree`]).
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod archive;
mod files;
pub mod manifest;
mod server;

pub use files::{payload, sha256, tree};
pub use server::{Reply, Request, Server};
