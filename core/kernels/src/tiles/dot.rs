//! Rows times rows: the product for batches so small that packing the weight would cost more than it saves.

use crate::blank::filled;
use crate::simd::dispatch;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Rows up to which dot products with the rows of the weight are quicker than packing it.
pub(crate) const FEW: usize = 32;

/// Values of `k` at a time: all rows of `xs` of that length stay in the cache while the weight streams by.
const GROUP: usize = 2048;

/// Weight rows that one task takes.
const BLOCK: usize = 16;

/// `xs · weightᵀ + bias` for `xs` `[rows, k]` and `weight` `[n, k]`, to `[rows, n]`.
pub(crate) fn dot(xs: &[f32], weight: &[f32], bias: Option<&[f32]>, k: usize) -> Vec<f32> {
    let (rows, n) = (xs.len() / k, weight.len() / k);
    let blocks: Vec<Vec<f32>> = weight
        .par_chunks(BLOCK * k)
        .enumerate()
        .map(|(block, weight)| {
            let mut sums: Vec<f32> = match bias {
                Some(bias) => bias[block * BLOCK..][..weight.len() / k].repeat(rows),
                None => vec![0.0; rows * (weight.len() / k)],
            };
            dispatch(Dots { xs, weight, k, sums: &mut sums });
            sums
        })
        .collect();
    // A block has as many rows as the result, each of its own weight rows' length.
    let part = |row: usize, block: &Vec<f32>| row * (block.len() / rows)..(row + 1) * (block.len() / rows);
    filled(rows * n, |out| {
        out.chunks(n, 0..rows, |row, out| out.join(blocks.iter().map(|block| &block[part(row, block)])))
    })
}

struct Dots<'a> {
    xs: &'a [f32],
    weight: &'a [f32],
    k: usize,
    /// `[rows, weight rows]`
    sums: &'a mut [f32],
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let n = self.weight.len() / self.k;
        for begin in (0..self.k).step_by(GROUP) {
            let part = begin..(begin + GROUP).min(self.k);
            for (xs, sums) in self.xs.chunks(4 * self.k).zip(self.sums.chunks_mut(4 * n)) {
                for (column, weight) in self.weight.chunks_exact(self.k).enumerate() {
                    let weight = &weight[part.clone()];
                    let row = |row: usize| &xs[row * self.k..][part.clone()];
                    if xs.len() == 4 * self.k {
                        let dots = four(simd, weight, [row(0), row(1), row(2), row(3)]);
                        dots.iter().enumerate().for_each(|(row, dot)| sums[row * n + column] += dot);
                    } else {
                        for (i, sums) in sums.chunks_exact_mut(n).enumerate() {
                            sums[column] += one(simd, weight, row(i));
                        }
                    }
                }
            }
        }
    }
}

/// The dot products of `a` with four others, each in two registers.
#[inline(always)]
fn four<S: Simd>(simd: S, a: &[f32], others: [&[f32]; 4]) -> [f32; 4] {
    let (head, tail) = S::as_simd_f32s(a);
    let others = others.map(|other| S::as_simd_f32s(&other[..a.len()]));
    let mut sums = [[simd.splat_f32s(0.0); 4]; 2];
    for (i, &a) in head.iter().enumerate() {
        for (sum, (other, _)) in sums[i % 2].iter_mut().zip(others) {
            *sum = simd.mul_add_e_f32s(a, other[i], *sum);
        }
    }
    std::array::from_fn(|i| {
        let rest: f32 = tail.iter().zip(others[i].1).map(|(a, b)| a * b).sum();
        simd.reduce_sum_f32s(simd.add_f32s(sums[0][i], sums[1][i])) + rest
    })
}

/// The dot product of two vectors, in four registers.
#[inline(always)]
fn one<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_tail), (b, b_tail)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let mut sums = [simd.splat_f32s(0.0); 4];
    let (a_four, a_rest) = a.as_chunks::<4>();
    let (b_four, b_rest) = b.as_chunks::<4>();
    for (a, b) in a_four.iter().zip(b_four) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = simd.mul_add_e_f32s(a, b, *sum);
        }
    }
    for (&a, &b) in a_rest.iter().zip(b_rest) {
        sums[0] = simd.mul_add_e_f32s(a, b, sums[0]);
    }
    let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
    simd.reduce_sum_f32s(sum) + a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum::<f32>()
}
