//! The training loop: that it learns, repeats itself, survives being killed, and says what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod fit;
mod lr_find;
mod refuse;
mod resume;

use common::training::{images, learner, loaders, network, weights, written};
