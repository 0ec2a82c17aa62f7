//! Sums of outer products: how the gradient of a weight arises from pairs of an output's gradient and its input.
#![allow(unsafe_code)]

use super::{MR, nr, padded, vectors};
use crate::simd::dispatch;
use pulp::{Simd, WithSimd};

/// `sums[row][column] += Σ_i left[picks[i]][row] · right[i][column]` over the rows of a block of left values
/// (see [`RankKUpdate::pack_left`]) and a panel of right values.
pub(crate) struct RankKUpdate<'a> {
    /// Tiles of six rows, `[tile][pixel][6]`.
    pub(crate) left: &'a [f32],
    /// Pixels of a tile.
    pub(crate) pixels: usize,
    /// The pixels that have a partner on the right.
    pub(crate) picks: &'a [u32],
    /// `[pick][width]`
    pub(crate) right: &'a [f32],
    /// Whole registers.
    pub(crate) width: usize,
    /// The sums, from the panel's first column; rows are `stride` apart.
    pub(crate) sums: &'a mut [f32],
    pub(crate) stride: usize,
}

impl RankKUpdate<'_> {
    /// Rows that `n` rows take: whole tiles.
    pub(crate) fn padded_rows(n: usize) -> usize {
        n.next_multiple_of(MR)
    }

    /// Columns that `n` columns take: whole registers.
    pub(crate) fn padded_columns(n: usize) -> usize {
        padded(n)
    }

    /// Columns of the widest panel.
    pub(crate) fn width() -> usize {
        nr()
    }

    /// Appends rows of `n` values, a pixel each, as tiles `[tile][pixel][6]`, with zeros for the rows beyond `n`.
    pub(crate) fn pack_left<'a>(n: usize, rows: impl ExactSizeIterator<Item = &'a [f32]>) -> Vec<f32> {
        let pixels = rows.len();
        let mut left = vec![0.0; Self::padded_rows(n) * pixels];
        for (pixel, row) in rows.enumerate() {
            for (tile, values) in row[..n].chunks(MR).enumerate() {
                let start = (tile * pixels + pixel) * MR;
                match <&[f32; MR]>::try_from(values) {
                    Ok(values) => left[start..start + MR].copy_from_slice(values),
                    Err(_) => left[start..start + values.len()].copy_from_slice(values),
                }
            }
        }
        left
    }

    /// Adds everything up.
    pub(crate) fn run(self) {
        dispatch(self);
    }
}

impl WithSimd for RankKUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let vectors = self.width / S::F32_LANES;
        let tiles = self.left.len() / (self.pixels * MR);
        assert!(self.width == vectors * S::F32_LANES && self.right.len() >= self.picks.len() * self.width);
        assert!(self.sums.len() >= (tiles * MR - 1) * self.stride + self.width);
        assert!(self.picks.iter().all(|&pick| (pick as usize) < self.pixels));
        for (tile, left) in self.left.chunks_exact(self.pixels * MR).enumerate() {
            let sums = self.sums[tile * MR * self.stride..].as_mut_ptr();
            // SAFETY: by the assertions there are `width` values for each pick on the right, six on the left for any
            // pick, and the six rows of sums are inside their slice.
            unsafe {
                match vectors {
                    1 => add::<S, 1>(simd, left, self.picks, self.right, sums, self.stride),
                    2 => add::<S, 2>(simd, left, self.picks, self.right, sums, self.stride),
                    3 if self::vectors::<S>() > 2 => add::<S, 3>(simd, left, self.picks, self.right, sums, self.stride),
                    _ if self::vectors::<S>() > 2 => add::<S, 4>(simd, left, self.picks, self.right, sums, self.stride),
                    _ => {}
                }
            }
        }
    }
}

/// # Safety
/// `left` has six values for each pick, `right` `V` registers for each of the picks, and `sums` has six rows of `V`
/// registers, `stride` apart.
#[inline(always)]
unsafe fn add<S: Simd, const V: usize>(
    simd: S,
    left: &[f32],
    picks: &[u32],
    right: &[f32],
    sums: *mut f32,
    stride: usize,
) {
    let lanes = S::F32_LANES;
    // SAFETY: inside the rows, by the caller's promise.
    let place = |row: usize, v: usize| unsafe { sums.add(row * stride + v * lanes).cast::<S::f32s>() };
    // SAFETY: as above.
    let mut tile: [[S::f32s; V]; MR] =
        std::array::from_fn(|row| std::array::from_fn(|v| unsafe { place(row, v).read_unaligned() }));
    let (left, right) = (left.as_ptr(), right.as_ptr());
    for (i, &pick) in picks.iter().enumerate() {
        // SAFETY: `V` registers for each pick.
        let columns: [S::f32s; V] =
            std::array::from_fn(|v| unsafe { right.add((i * V + v) * lanes).cast::<S::f32s>().read_unaligned() });
        for (row, sums) in tile.iter_mut().enumerate() {
            // SAFETY: six values for each pick.
            let value = simd.splat_f32s(unsafe { *left.add(pick as usize * MR + row) });
            for (sum, &column) in sums.iter_mut().zip(&columns) {
                *sum = simd.mul_add_e_f32s(value, column, *sum);
            }
        }
    }
    for (row, sums) in tile.iter().enumerate() {
        for (v, &sum) in sums.iter().enumerate() {
            // SAFETY: as for reading.
            unsafe { place(row, v).write_unaligned(sum) };
        }
    }
}
