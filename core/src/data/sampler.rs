//! Drawing items more often or less often than others.

use crate::error::{Error, Result};
use crate::rng::Rng;
use std::sync::Arc;

/// Draws items with replacement, each with a probability in proportion to its weight: an epoch has as many draws as
/// there are items, of which some come several times and some not at all. PyTorch's `WeightedRandomSampler`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WeightedSampler {
    weights: Arc<[f64]>,
    /// The sums of the weights so far.
    sums: Arc<[f64]>,
}

impl WeightedSampler {
    /// One weight for each of `n` items.
    pub(super) fn new(weights: &[f64], n: usize) -> Result<WeightedSampler> {
        if weights.len() != n {
            let found = weights.len();
            return Err(Error::shape(format!("{found} weights for {n} items: expected one for each"), &[found]));
        }
        if let Some(bad) = weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            return Err(Error::config("weights", format!("a weight is {bad}: expected a number that is at least 0")));
        }
        let sums: Arc<[f64]> = weights
            .iter()
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        if !sums.last().is_some_and(|total| *total > 0.0 && total.is_finite()) {
            return Err(Error::config("weights", "the sum of all weights must be a number above 0"));
        }
        Ok(WeightedSampler { weights: weights.into(), sums })
    }

    /// The weights of the items.
    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The items of an epoch, in their order.
    pub(super) fn order(&self, rng: &mut Rng) -> Vec<usize> {
        let total = self.sums.last().copied().unwrap_or(0.0);
        let last = self.weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
        let draw = |_| {
            let at = rng.uniform(0.0, total);
            // An item without weight has no interval, and rounding must not lead past the last that has one.
            self.sums.partition_point(|sum| *sum <= at).min(last)
        };
        (0..self.weights.len()).map(draw).collect()
    }
}
