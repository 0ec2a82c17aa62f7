//! What the fit of a linear model asks of its samples.

use super::products::{scores, weighted_squares, weighted_sums};

/// Rows of features, of which the last is the constant 1, as far as a fit needs them. A fit goes through them by
/// products alone, so they need not be there as a table.
pub(super) trait Rows: Sync {
    /// The number of features, the constant included.
    fn width(&self) -> usize;

    /// Every row times every weight row: `[K, M]` makes `[N, K]`.
    fn scores(&self, weights: &[f64]) -> Vec<f64>;

    /// The rows summed up with `outputs` factors each: `[N, K]` makes `[K, M]`.
    fn sums(&self, factors: &[f64], outputs: usize) -> Vec<f64>;

    /// The same of the rows' squares, entry by entry.
    fn sums_of_squares(&self, factors: &[f64], outputs: usize) -> Vec<f64>;

    /// `Xᵀ diag(h) X` for each set of factors `h`, of which the lower triangle is filled; none where that would be too
    /// large.
    fn squares(&self, factors: &[Vec<f64>]) -> Option<Vec<Vec<f64>>>;
}

/// Rows as a table, one after the other.
pub(super) struct Dense<'a> {
    pub(super) rows: &'a [f64],
    pub(super) width: usize,
}

impl Rows for Dense<'_> {
    fn width(&self) -> usize {
        self.width
    }

    fn scores(&self, weights: &[f64]) -> Vec<f64> {
        scores(self.rows, self.width, weights)
    }

    fn sums(&self, factors: &[f64], outputs: usize) -> Vec<f64> {
        weighted_sums(self.rows, self.width, factors, outputs)
    }

    fn sums_of_squares(&self, factors: &[f64], outputs: usize) -> Vec<f64> {
        let squares: Vec<f64> = self.rows.iter().map(|x| x * x).collect();
        weighted_sums(&squares, self.width, factors, outputs)
    }

    fn squares(&self, factors: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        Some(weighted_squares(self.rows, self.width, factors))
    }
}
