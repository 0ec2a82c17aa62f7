//! What batch normalisation knows of a batch.

use candle_core::{Result, Tensor};
use std::sync::Arc;

/// The mean and the biased variance of each channel, over all other axes.
#[derive(Debug, Clone)]
pub struct BatchStats {
    /// The means, `[C]`, on the device of the values; `f64` if they are, else `f32`.
    pub mean: Tensor,
    /// The biased variances, `[C]`: sums of squares divided by the number of values.
    pub var: Tensor,
    /// The number of values of each channel.
    pub count: usize,
    /// How the batch goes on in other processes, if it does: then `mean`, `var` and `count` are those of all of it.
    pub spread: Option<Spread>,
}

/// What replaces numbers by their sums over processes.
type Sum = dyn Fn(&mut [f64]) -> Result<()> + Send + Sync;

/// A batch that is spread over several processes, each of which has some of its rows.
#[derive(Clone)]
pub struct Spread {
    /// Replaces numbers by their sums over all processes, in an order that does not change.
    pub sum: Arc<Sum>,
    /// Whether this process has rows of the batch. If it has none, it computes with another's so that all take part in
    /// every sum, and these are not in the statistics.
    pub counts: bool,
}

impl std::fmt::Debug for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spread").field("counts", &self.counts).finish_non_exhaustive()
    }
}
