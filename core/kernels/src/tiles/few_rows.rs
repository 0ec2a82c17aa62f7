//! The product for few rows, where packing the weight would cost more than it saves.
#![allow(unsafe_code)]

use super::{Gemm, PackedB, Place};
use crate::blank::{fill, filled};
use crate::shared::SharedMut;
use crate::simd::dispatch;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Rows up to which a weight is better read where it is than packed.
pub(crate) const FEW: usize = 64;

/// The same for a weight of less than twice as many rows: then it is quicker to pack the weight than the others.
const FEW_BY_SMALL: usize = 32;

/// Rows up to which dot products are quicker than a product.
const DOTS: usize = 3;

/// Values of `k` at a time: all rows of `xs` of that length stay in the cache while the weight streams by.
const GROUP: usize = 2048;

/// Weight rows that one task takes.
const BLOCK: usize = 16;

/// Whether [`few_rows`] is the quicker way for so many rows and a weight `[n, k]`.
pub(crate) fn are_few(rows: usize, n: usize) -> bool {
    rows <= if n < 2 * rows { FEW_BY_SMALL } else { FEW }
}

/// `xs · weightᵀ + bias` for `xs` `[rows, k]` and `weight` `[n, k]`, to `[rows, n]`.
pub(crate) fn few_rows(xs: &[f32], weight: &[f32], bias: Option<&[f32]>, k: usize) -> Vec<f32> {
    let (rows, n) = (xs.len() / k, weight.len() / k);
    if rows <= DOTS || n < 2 * rows { dots(xs, weight, bias, k) } else { turned(xs, weight, bias, k) }
}

/// As `weight · xsᵀ`: the weight's rows are read where they are, and what is packed is `xs`.
fn turned(xs: &[f32], weight: &[f32], bias: Option<&[f32]>, k: usize) -> Vec<f32> {
    let (rows, n) = (xs.len() / k, weight.len() / k);
    let product = Gemm {
        rows: n,
        source: weight,
        len: k,
        segments: &[0],
        panels: &PackedB::forward::<f32>(xs, rows, k, 1),
        place: Place::Rows,
        bias: None,
        accumulate: false,
        epilogue: None,
    };
    let columns = filled(n * rows, |mut out| {
        // SAFETY: rows follow each other.
        unsafe { product.run(SharedMut::new(&mut out)) };
        // SAFETY: the panels have all columns, so each row was written whole.
        unsafe { out.assume_filled() }
    });
    fill(rows * n, n, (0..rows).into_par_iter(), |row, out| {
        let sums = columns[row..].iter().step_by(rows);
        match bias {
            Some(bias) => out.write(sums.zip(bias).map(|(sum, bias)| sum + bias)),
            None => out.write(sums.copied()),
        }
    })
}

/// As dot products of rows.
fn dots(xs: &[f32], weight: &[f32], bias: Option<&[f32]>, k: usize) -> Vec<f32> {
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
    // Two sums each, so that one does not wait for the other; without a choice between them, which would keep them in
    // memory.
    let mut sums = [[simd.splat_f32s(0.0); 4]; 2];
    let (pairs, last) = head.as_chunks::<2>();
    for (i, pair) in pairs.iter().enumerate() {
        for half in 0..2 {
            for (sum, (other, _)) in sums[half].iter_mut().zip(others) {
                *sum = simd.mul_add_e_f32s(pair[half], other[2 * i + half], *sum);
            }
        }
    }
    for &a in last {
        for (sum, (other, _)) in sums[0].iter_mut().zip(others) {
            *sum = simd.mul_add_e_f32s(a, other[2 * pairs.len()], *sum);
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
