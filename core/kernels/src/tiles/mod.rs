//! Products of matrices in register tiles: what convolutions and linear layers are made of.
//!
//! A tile is six rows of the result by a panel of its columns, as wide as the vector registers allow, and stays in
//! registers while the sum over `k` runs. The right-hand matrix is packed panel by panel ([`PackedB`]), the rows of
//! the left-hand one are read where they are, piece by piece, through pointers ([`Gemm`]): so a convolution needs no
//! copy of its patches. [`RankKUpdate`] sums products of columns, which is how gradients of weights arise, and
//! [`few_rows`] serves batches too small to be worth packing. Where a processor has registers for whole tiles
//! ([`amx`]), [`squares`] multiplies in these.

mod amx;
mod element;
mod epilogue;
mod few_rows;
mod gemm;
mod packed;
mod rank_k;
mod squares;

pub(super) use element::Element;
pub(super) use epilogue::Epilogue;
pub(super) use few_rows::{FEW, are_few, few_rows};
pub(super) use gemm::{Gemm, MOST_PADDING, PADDING, Place, whole_registers};
pub(super) use packed::PackedB;
pub(super) use rank_k::RankKUpdate;

use super::simd::dispatch;
use pulp::{Simd, WithSimd};

/// Rows of a tile.
const MR: usize = 6;

/// The widest panel, in values: four AVX-512 registers.
pub(super) const MAX_NR: usize = 64;

/// Registers across a panel: six rows of them must fit into the register file together with the panel's own values.
#[inline(always)]
const fn vectors<S: Simd>() -> usize {
    if S::F32_LANES == 8 { 2 } else { 4 }
}

/// Columns of a full panel.
fn nr() -> usize {
    dispatch(Width).0
}

/// Columns that a panel for `n` columns takes in memory: whole registers.
fn padded(n: usize) -> usize {
    n.next_multiple_of(dispatch(Width).1)
}

struct Width;

impl WithSimd for Width {
    type Output = (usize, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (usize, usize) {
        (vectors::<S>() * S::F32_LANES, S::F32_LANES)
    }
}
