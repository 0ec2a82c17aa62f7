//! How far a learner has come through the fits that a program asks for.

use super::lr_search::Search;
use serde::{Deserialize, Serialize};

/// A place in a program of several fits.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub(super) struct Position {
    /// What the finished fits were asked to do; a checkpoint only serves the same requests.
    pub(super) done: Vec<String>,
    /// What the current fit was asked to do.
    pub(super) request: String,
    /// The current epoch of the current fit.
    pub(super) epoch: usize,
    /// The next batch of that epoch.
    pub(super) batch: usize,
    /// The epochs of all finished fits.
    pub(super) epochs_before: usize,
    /// The searches for a learning rate before this fit. Later weights would not find the same.
    pub(super) searches: Vec<Search>,
}

impl Position {
    /// Whether a fit has begun and not ended.
    pub(super) fn is_within_fit(&self) -> bool {
        self.epoch > 0 || self.batch > 0
    }

    /// The current fit ends after `epochs` epochs.
    pub(super) fn end_fit(&mut self, epochs: usize) {
        self.epochs_before = self.epochs_before.saturating_add(epochs);
        self.done.push(self.request.clone());
    }
}
