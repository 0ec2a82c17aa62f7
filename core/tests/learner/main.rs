//! The training loop: that it learns, repeats itself, survives being killed, and says what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod best;
mod callbacks;
mod diverge;
mod export;
mod features;
mod fingerprint;
mod fit;
mod freeze;
mod lr_find;
mod metric;
mod mix;
mod precision;
mod refuse;
mod resume;
mod resume_callbacks;
mod schedules;

use common::training::{dataset, images, learner, loaders, network, weights, written};
