//! Fewer rows than features: the rows span a space of as many dimensions as there are rows, and no more.
//!
//! With the penalty `‖w‖²`, the best weights are a combination of the rows (the representer theorem; Kimeldorf and
//! Wahba, 1970): any part at right angles to all rows would cost and change no score. So the rows are turned into the
//! space that they span, where they have the same lengths and angles and few coordinates, and the weights are turned
//! back.

use super::products::{add_scaled, dot, gram, map, weighted_sums};

/// The rows in their own space.
pub(super) struct RowSpace {
    /// Dimensions: the rank of the rows.
    pub(super) rank: usize,
    /// The coordinates of each row, `[N, rank]`.
    pub(super) rows: Vec<f64>,
    /// The rows that span the space; the coordinates of the first have one place, of the second two, and so on.
    pivots: Vec<usize>,
}

impl RowSpace {
    /// Turns rows of `width` features into their own space, by Cholesky's factorisation of their scalar products with
    /// the longest remaining row as the next pivot.
    pub(super) fn of(rows: &[f64], width: usize) -> RowSpace {
        let gram = gram(rows, width);
        let n = rows.len() / width;
        let mut left: Vec<f64> = (0..n).map(|i| gram[i * n + i]).collect();
        let longest = |left: &[f64]| (0..n).fold(0, |best, i| if left[i] > left[best] { i } else { best });
        // What is shorter than rounding errors is not a direction.
        let least = left[longest(&left)] * n as f64 * f64::EPSILON;
        let mut factor = vec![0.0; n * n];
        let mut pivots = Vec::new();
        while pivots.len() < n {
            let (at, pivot) = (pivots.len(), longest(&left));
            if left[pivot] <= least {
                break;
            }
            let root = left[pivot].sqrt();
            let pivot_row = factor[pivot * n..pivot * n + at].to_vec();
            let column = map(n.div_ceil(64), |block| {
                let lines = block * 64..n.min(block * 64 + 64);
                let entry = |i: usize| (gram[i * n + pivot] - dot(&factor[i * n..i * n + at], &pivot_row)) / root;
                lines.map(|i| if left[i] == f64::NEG_INFINITY { 0.0 } else { entry(i) }).collect::<Vec<f64>>()
            });
            for (i, entry) in column.concat().into_iter().enumerate() {
                factor[i * n + at] = entry;
                left[i] -= entry * entry;
            }
            left[pivot] = f64::NEG_INFINITY;
            pivots.push(pivot);
        }
        let rank = pivots.len().max(1);
        let rows = factor.chunks_exact(n).flat_map(|row| &row[..rank]).copied().collect();
        RowSpace { rank, rows, pivots }
    }

    /// Weights of this space, `[K, rank]`, as weights of the features, `[K, width]`.
    pub(super) fn weights_of_features(&self, weights: &[f64], rows: &[f64], width: usize) -> Vec<f64> {
        let outputs = weights.len() / self.rank;
        let mut factors = vec![0.0; rows.len() / width * outputs];
        for (k, weights) in weights.chunks_exact(self.rank).enumerate() {
            // The weights are the pivots' coordinates times their factors; the last pivot alone reaches the last place.
            let mut left = weights.to_vec();
            for (at, &pivot) in self.pivots.iter().enumerate().rev() {
                let coordinates = &self.rows[pivot * self.rank..(pivot + 1) * self.rank];
                let factor = left[at] / coordinates[at];
                add_scaled(&mut left[..at], -factor, &coordinates[..at]);
                factors[pivot * outputs + k] = factor;
            }
        }
        weighted_sums(rows, width, &factors, outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_and_lengths_stay_and_weights_come_back() {
        // Five rows of nine features; the fourth is the sum of the first two, the last is zero.
        let mut rows: Vec<f64> = (0..27).map(|i| f64::from((i * i * 7 + 3) % 11) - 5.0).collect();
        rows.extend((0..9).map(|i| rows[i] + rows[9 + i]).collect::<Vec<f64>>());
        rows.extend([0.0; 9]);
        let space = RowSpace::of(&rows, 9);
        assert_eq!(space.rank, 3);
        let small: Vec<&[f64]> = space.rows.chunks_exact(3).collect();
        let large: Vec<&[f64]> = rows.chunks_exact(9).collect();
        for i in 0..5 {
            for j in 0..5 {
                assert!((dot(small[i], small[j]) - dot(large[i], large[j])).abs() < 1e-12, "rows {i} and {j}");
            }
        }
        let weights = [0.3, -1.0, 2.0, 0.0, 1.5, 0.2];
        let back = space.weights_of_features(&weights, &rows, 9);
        for (small_w, large_w) in weights.chunks_exact(3).zip(back.chunks_exact(9)) {
            assert!((0..5).all(|i| (dot(small[i], small_w) - dot(large[i], large_w)).abs() < 1e-12));
            assert!((dot(small_w, small_w) - dot(large_w, large_w)).abs() < 1e-12, "the penalty is the same");
        }
    }
}
