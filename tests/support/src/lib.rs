//! What tests of several packages share: a web server on this machine that fails on demand ([`Server`]), archives
//! ([`archive`]), manifests that point at them ([`manifest`]), files ([`payload`], [`sha256`], [`tree`]), moments for
//! killing processes ([`kills`]), and a browser that opens pages and uses them ([`Browser`]).
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod archive;
mod browser;
mod files;
pub mod kills;
pub mod manifest;
mod server;

pub use browser::{Browser, Tab};
pub use files::{payload, sha256, tree};
pub use server::{Reply, Request, Server};
