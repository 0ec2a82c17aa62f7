//! Fewer rows than features: the rows span a space of as many dimensions as there are rows, and no more.
//!
//! With the penalty `‖w‖²`, the best weights are a combination of the rows (the representer theorem; Kimeldorf and
//! Wahba, 1970): any part at right angles to all rows would cost and change no score. So the rows are turned into the
//! space that they span, where they have the same lengths and angles and few coordinates, and the weights are turned
//! back.

use super::products::{add_scaled, dot, gram, map, norm, weighted_sums};
use rayon::prelude::*;

/// The rows in their own space.
pub(super) struct RowSpace {
    /// Dimensions: the rank of the rows.
    pub(super) rank: usize,
    /// The coordinates of each row, `[N, rank]`.
    pub(super) rows: Vec<f64>,
    way: Way,
}

/// How the rows were turned into their space, and so how weights are turned back.
enum Way {
    /// By rows that span the space; the coordinates of the first have one place, of the second two, and so on.
    Pivots(Vec<usize>),
    /// By reflections, one after the other, along these vectors, of which the `k`-th begins at place `k`.
    Reflections(Vec<Vec<f64>>),
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
        RowSpace { rank, rows, way: Way::Pivots(pivots) }
    }

    /// The same by Householder's reflections of the rows themselves (Golub and Van Loan, *Matrix Computations*, 5.2),
    /// for rows whose lengths differ so much that their scalar products have no digits left for the short ones. It
    /// takes about twice the time.
    pub(super) fn by_reflections(rows: &[f64], width: usize) -> RowSpace {
        let n = rows.len() / width;
        let mut turned: Vec<Vec<f64>> = rows.chunks_exact(width).map(<[f64]>::to_vec).collect();
        let mut along: Vec<Vec<f64>> = Vec::with_capacity(n);
        for k in 0..n.min(width) {
            let row = &turned[k][k..];
            // Scaled, so that squares neither overflow nor vanish.
            let largest = row.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            let mut vector: Vec<f64> = row.iter().map(|x| if largest > 0.0 { x / largest } else { 0.0 }).collect();
            let length = norm(&vector);
            vector[0] += if vector[0] < 0.0 { -length } else { length };
            let own = norm(&vector);
            if own > 0.0 {
                vector.iter_mut().for_each(|x| *x /= own);
            }
            turned[k..].par_iter_mut().for_each(|row| reflect(&mut row[k..], &vector));
            along.push(vector);
        }
        let rank = n.min(width).max(1);
        let rows = turned.iter().flat_map(|row| &row[..rank]).copied().collect();
        RowSpace { rank, rows, way: Way::Reflections(along) }
    }

    /// Weights of this space, `[K, rank]`, as weights of the features, `[K, width]`.
    pub(super) fn weights_of_features(&self, weights: &[f64], rows: &[f64], width: usize) -> Vec<f64> {
        let pivots = match &self.way {
            Way::Pivots(pivots) => pivots,
            Way::Reflections(along) => {
                let back = |weights: &[f64]| {
                    let mut row = vec![0.0; width];
                    row[..self.rank].copy_from_slice(weights);
                    along.iter().enumerate().rev().for_each(|(k, vector)| reflect(&mut row[k..], vector));
                    row
                };
                return weights.chunks_exact(self.rank).flat_map(back).collect();
            }
        };
        let outputs = weights.len() / self.rank;
        let mut factors = vec![0.0; rows.len() / width * outputs];
        for (k, weights) in weights.chunks_exact(self.rank).enumerate() {
            // The weights are the pivots' coordinates times their factors; the last pivot alone reaches the last place.
            let mut left = weights.to_vec();
            for (at, &pivot) in pivots.iter().enumerate().rev() {
                let coordinates = &self.rows[pivot * self.rank..(pivot + 1) * self.rank];
                let factor = left[at] / coordinates[at];
                add_scaled(&mut left[..at], -factor, &coordinates[..at]);
                factors[pivot * outputs + k] = factor;
            }
        }
        weighted_sums(rows, width, &factors, outputs)
    }
}

/// The mirror image of a row, at right angles to a vector of length 1.
fn reflect(row: &mut [f64], vector: &[f64]) {
    let along = dot(row, vector);
    add_scaled(row, -2.0 * along, vector);
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
        keeps_angles_and_lengths(&space, &rows);
        let space = RowSpace::by_reflections(&rows, 9);
        assert_eq!(space.rank, 5);
        keeps_angles_and_lengths(&space, &rows);
    }

    fn keeps_angles_and_lengths(space: &RowSpace, rows: &[f64]) {
        let small: Vec<&[f64]> = space.rows.chunks_exact(space.rank).collect();
        let large: Vec<&[f64]> = rows.chunks_exact(9).collect();
        for i in 0..5 {
            for j in 0..5 {
                assert!((dot(small[i], small[j]) - dot(large[i], large[j])).abs() < 1e-12, "rows {i} and {j}");
            }
        }
        // Such as a fit finds: combinations of the rows.
        let weights: Vec<f64> = (0..2 * space.rank).map(|i| small[i / space.rank][i % space.rank] / 7.0).collect();
        let back = space.weights_of_features(&weights, rows, 9);
        for (small_w, large_w) in weights.chunks_exact(space.rank).zip(back.chunks_exact(9)) {
            assert!((0..5).all(|i| (dot(small[i], small_w) - dot(large[i], large_w)).abs() < 1e-12));
            assert!((dot(small_w, small_w) - dot(large_w, large_w)).abs() < 1e-12, "the penalty is the same");
        }
    }
}
