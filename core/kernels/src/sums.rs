//! Sums over rows.

use super::simd::vectorized;
use rayon::prelude::*;

/// Rows that one task sums up in `f32`: few, so that little is lost, and fixed, so that sums are the same for any
/// number of threads.
const ROWS: usize = 128;

/// The sum of each of the `n` columns of `[rows, n]`.
pub(super) fn sum_rows(values: &[f32], n: usize) -> Vec<f32> {
    let partial: Vec<Vec<f32>> = values
        .par_chunks(ROWS * n)
        .map(|block| {
            let mut sums = vec![0.0f32; n];
            vectorized!({
                block.chunks_exact(n).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value));
            });
            sums
        })
        .collect();
    let mut total = vec![0.0f64; n];
    partial.iter().for_each(|sums| total.iter_mut().zip(sums).for_each(|(total, &sum)| *total += f64::from(sum)));
    total.iter().map(|&sum| sum as f32).collect()
}
