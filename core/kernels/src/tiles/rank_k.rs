//! Sums of outer products: how the gradient of a weight arises from pairs of an output's gradient and its input.
#![allow(unsafe_code)]

use super::amx::{Amx, Corner, SIDE, SQUARE};
use super::{Element, MR, nr, padded, vectors};
use pulp::{Simd, WithSimd};
use std::marker::PhantomData;

/// `sums[row][column] += Σ_i left[picks[i]][row] · right[i][column]` over the rows of a block of left values
/// (see [`RankKUpdate::pack_left`]) and a panel of right values, where a lane of either is a pixel's, or two pixels'.
pub(crate) struct RankKUpdate<'a, E> {
    /// Tiles of six rows, `[tile][lane][6]`, or squares, `[16 rows][16 lanes][row][lane]`.
    pub(crate) left: &'a [f32],
    /// Lanes of a tile.
    pub(crate) lanes: usize,
    /// The lanes that have a partner on the right: all of them, in order, if they [have to](RankKUpdate::takes_all).
    pub(crate) picks: &'a [u32],
    /// `[pick][width]`, and zeros up to [`RankKUpdate::padded_lanes`].
    pub(crate) right: &'a [f32],
    /// Whole registers.
    pub(crate) width: usize,
    /// The sums, from the panel's first column; rows are `stride` apart.
    pub(crate) sums: &'a mut [f32],
    pub(crate) stride: usize,
    pub(crate) element: PhantomData<E>,
}

impl<E: Element> RankKUpdate<'_, E> {
    /// Rows that `n` rows take: whole tiles.
    pub(crate) fn padded_rows(n: usize) -> usize {
        n.next_multiple_of(if E::by_squares() { 2 * SIDE } else { MR })
    }

    /// Rows on the right that `n` lanes take.
    pub(crate) fn padded_lanes(n: usize) -> usize {
        if E::by_squares() { n.next_multiple_of(SIDE) } else { n }
    }

    /// Whether every lane needs a partner on the right, if only zeros.
    pub(crate) fn takes_all() -> bool {
        E::by_squares()
    }

    /// Columns that `n` columns take: whole registers.
    pub(crate) fn padded_columns(n: usize) -> usize {
        padded(n)
    }

    /// Columns of the widest panel.
    pub(crate) fn width() -> usize {
        nr()
    }

    /// Rows of `n` values, a pixel each, as tiles or squares, with zeros for the rows beyond `n`.
    pub(crate) fn pack_left(n: usize, rows: &[&[E]]) -> Vec<f32> {
        if E::by_squares() {
            return Self::pack_squares(n, rows);
        }
        let lanes = rows.len().div_ceil(E::PER_LANE);
        let size = Self::padded_rows(n) * lanes;
        // Only the last tile may have rows that are not there.
        let mut left = Vec::with_capacity(size);
        let zeros = vec![E::default(); n.next_multiple_of(MR)];
        for first in (0..n).step_by(MR) {
            for rows in rows.chunks(E::PER_LANE) {
                let (a, b) = (&rows[0][..n], &rows.get(1).copied().unwrap_or(&zeros)[..n]);
                match (a[first..].first_chunk::<MR>(), b[first..].first_chunk::<MR>()) {
                    (Some(a), Some(b)) => {
                        left.extend_from_slice(&std::array::from_fn::<f32, MR, _>(|i| E::beside(a[i], b[i])))
                    }
                    _ => {
                        left.extend(a[first..].iter().zip(&b[first..]).map(|(a, b)| E::beside(*a, *b)));
                        left.resize(left.len().next_multiple_of(MR), 0.0);
                    }
                }
            }
        }
        left
    }

    fn pack_squares(n: usize, rows: &[&[E]]) -> Vec<f32> {
        let steps = rows.len().div_ceil(E::PER_LANE).div_ceil(SIDE);
        let mut left = vec![0.0; Self::padded_rows(n) * steps * SIDE];
        for (squares, first) in left.chunks_exact_mut(steps * SQUARE).zip((0..n).step_by(SIDE)) {
            let count = SIDE.min(n - first);
            for (square, pixels) in squares.chunks_exact_mut(SQUARE).zip(rows.chunks(SIDE * E::PER_LANE)) {
                E::write_square(pixels, first, count, square);
            }
        }
        left
    }

    /// Adds everything up.
    pub(crate) fn run(self) {
        E::run(self);
    }
}

impl<E: Element> WithSimd for RankKUpdate<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if E::by_squares()
            && let Some(amx) = Amx::new()
        {
            return self.by_squares(&amx);
        }
        let vectors = self.width / S::F32_LANES;
        let tiles = self.left.len() / (self.lanes * MR);
        assert!(self.width == vectors * S::F32_LANES && self.right.len() >= self.picks.len() * self.width);
        assert!(self.sums.len() >= (tiles * MR - 1) * self.stride + self.width);
        assert!(self.picks.iter().all(|&pick| (pick as usize) < self.lanes));
        for (tile, left) in self.left.chunks_exact(self.lanes * MR).enumerate() {
            let sums = self.sums[tile * MR * self.stride..].as_mut_ptr();
            // SAFETY: by the assertions there are `width` values for each pick on the right, six on the left for any
            // pick, and the six rows of sums are inside their slice.
            unsafe {
                match vectors {
                    1 => add::<E, S, 1>(simd, left, self.picks, self.right, sums, self.stride),
                    2 => add::<E, S, 2>(simd, left, self.picks, self.right, sums, self.stride),
                    3 if self::vectors::<S>() > 2 => {
                        add::<E, S, 3>(simd, left, self.picks, self.right, sums, self.stride)
                    }
                    _ if self::vectors::<S>() > 2 => {
                        add::<E, S, 4>(simd, left, self.picks, self.right, sums, self.stride)
                    }
                    _ => {}
                }
            }
        }
    }
}

impl<E: Element> RankKUpdate<'_, E> {
    #[inline(always)]
    fn by_squares(self, amx: &Amx) {
        let (width, stride, steps) = (self.width, self.stride, self.lanes.div_ceil(SIDE));
        let (size, strips) = (2 * steps * SQUARE, self.left.len() / (2 * steps * SQUARE));
        assert!(self.picks.len() == self.lanes && self.right.len() >= steps * SIDE * width);
        assert!(width.is_multiple_of(SIDE) && self.left.len() == strips * size);
        assert!(self.sums.len() >= (strips * 2 * SIDE - 1) * stride + width);
        let mut rights = Vec::with_capacity(steps);
        for column in (0..width).step_by(2 * SIDE) {
            rights.clear();
            rights.extend(self.right.chunks_exact(SIDE * width).take(steps).map(|rows| rows[column..].as_ptr()));
            for (strip, left) in self.left.chunks_exact(size).enumerate() {
                let left = [left.as_ptr(), left[steps * SQUARE..].as_ptr()];
                let sums = self.sums[strip * 2 * SIDE * stride + column..].as_mut_ptr();
                let (from, to) = (Corner { first: sums.cast_const(), stride }, Corner { first: sums, stride });
                // SAFETY: by the assertions there are as many squares on the left as on the right, and rows of sums.
                unsafe {
                    match width - column {
                        SIDE => amx.add_product::<1>(left, &rights, width, from, to),
                        _ => amx.add_product::<2>(left, &rights, width, from, to),
                    }
                }
            }
        }
    }
}

/// # Safety
/// `left` has six values for each pick, `right` `V` registers for each of the picks, and `sums` has six rows of `V`
/// registers, `stride` apart.
#[inline(always)]
unsafe fn add<E: Element, S: Simd, const V: usize>(
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
            // SAFETY: six lanes for each pick.
            unsafe {
                let lane = left.add(pick as usize * MR + row).cast::<E>();
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = E::multiply_add(simd, lane, column, *sum);
                }
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
