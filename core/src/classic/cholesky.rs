//! Symmetric positive definite systems, by Cholesky's factorisation.

use super::products::{add_scaled, dot, tile};
use pulp::Arch;

/// Overwrites the lower triangle of a symmetric `[N, N]` matrix with its factor `L`, where `L Lᵀ` is the matrix. Gives
/// false where the matrix is not positive definite.
pub(super) fn factor(matrix: &mut [f64], n: usize) -> bool {
    Arch::new().dispatch(|| factor_rows(matrix, n))
}

#[inline(always)]
fn factor_rows(matrix: &mut [f64], n: usize) -> bool {
    for first in (0..n).step_by(4) {
        // Four rows at once against each row above them...
        let (above, rest) = matrix.split_at_mut(first * n);
        let count = 4.min(n - first);
        for (j, upper) in above.chunks_exact(n).enumerate() {
            if count == 4 {
                let rows: [&[f64]; 4] = std::array::from_fn(|r| &rest[r * n..r * n + j]);
                let sums = tile(rows, [&upper[..j]]);
                for (r, [sum]) in sums.into_iter().enumerate() {
                    rest[r * n + j] = (rest[r * n + j] - sum) / upper[j];
                }
            } else {
                for row in rest.chunks_exact_mut(n) {
                    row[j] = (row[j] - dot(&row[..j], &upper[..j])) / upper[j];
                }
            }
        }
        // ...and then against each other.
        for i in 0..count {
            let (above, row) = rest.split_at_mut(i * n);
            for (j, upper) in (first..).zip(above.chunks_exact(n)) {
                row[j] = (row[j] - dot(&row[..j], &upper[..j])) / upper[j];
            }
            let j = first + i;
            let pivot = row[j] - dot(&row[..j], &row[..j]);
            if pivot.is_nan() || pivot <= 0.0 {
                return false;
            }
            row[j] = pivot.sqrt();
        }
    }
    true
}

/// Solves `L Lᵀ x = b` in place.
pub(super) fn solve(l: &[f64], n: usize, b: &mut [f64]) {
    for (i, row) in l.chunks_exact(n).enumerate() {
        b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
    }
    for (i, row) in l.chunks_exact(n).enumerate().rev() {
        b[i] /= row[i];
        let x = b[i];
        add_scaled(&mut b[..i], -x, &row[..i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        for n in [1, 3, 4, 11, 40] {
            // A Hilbert-like matrix with a heavy diagonal is positive definite.
            let entry = |i: usize, j: usize| 1.0 / (1 + i + j) as f64 + f64::from(i == j);
            let matrix: Vec<f64> = (0..n * n).map(|at| entry(at / n, at % n)).collect();
            let x: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
            let mut b: Vec<f64> = matrix.chunks_exact(n).map(|row| dot(row, &x)).collect();
            let mut l = matrix.clone();
            assert!(factor(&mut l, n));
            solve(&l, n, &mut b);
            assert!(b.iter().zip(&x).all(|(b, x)| (b - x).abs() < 1e-13), "n {n}: {b:?}");
        }
        assert!(!factor(&mut [1.0, 2.0, 2.0, 1.0], 2), "eigenvalues 3 and -1");
    }
}
