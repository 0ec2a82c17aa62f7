//! Rows of pieces times a packed matrix.
#![allow(unsafe_code)]

use super::{Panels, ROWS, WIDEST, vectors};
use crate::kernels::shared::SharedMut;
use crate::kernels::simd::dispatch;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// A piece that lies outside of the image: zeros.
pub(in crate::kernels) const NOWHERE: usize = usize::MAX;

/// Values of `k` that are summed up before the next panel: with six rows of that length, a panel's part stays in the
/// nearest cache.
const GROUP: usize = 256;

/// Rows that one task works on.
const BLOCK: usize = 16 * ROWS;

static ZEROS: [f32; GROUP] = [0.0; GROUP];

/// `out[place(row)] = Σ_piece source[piece of row] · panels[piece] + bias`, for every row.
pub(in crate::kernels) struct Product<'a> {
    pub(in crate::kernels) rows: usize,
    /// What the rows' pieces are cut from.
    pub(in crate::kernels) source: &'a [f32],
    /// Length of a piece.
    pub(in crate::kernels) len: usize,
    /// Which rows of the panels a piece meets: those from `segments[piece] * len`.
    pub(in crate::kernels) segments: &'a [usize],
    pub(in crate::kernels) panels: &'a Panels,
    /// Writes where the pieces of a row begin in the source ([`NOWHERE`] for zeros), and returns where the row's result
    /// begins in the output.
    pub(in crate::kernels) place: &'a (dyn Fn(usize, &mut [usize]) -> usize + Sync),
    /// Added to every row.
    pub(in crate::kernels) bias: Option<&'a [f32]>,
    /// The last word on a finished part of a row, with its place in the output.
    pub(in crate::kernels) finish: Option<&'a (dyn Fn(usize, &mut [f32]) + Sync)>,
}

impl Product<'_> {
    /// Computes all rows. No two may have overlapping places.
    pub(in crate::kernels) fn run(&self, out: &mut [f32]) {
        let (blocks, panels) = (self.rows.div_ceil(BLOCK), self.panels.count());
        // Few rows are cut by panels too, so that there is work for every thread.
        let parts = 32usize.div_ceil(blocks).min(panels);
        let share = panels.div_ceil(parts);
        let out = SharedMut::new(out);
        (0..blocks * parts).into_par_iter().for_each(|task| {
            let (block, part) = (task / parts, task % parts);
            let rows = block * BLOCK..((block + 1) * BLOCK).min(self.rows);
            let panels = part * share..((part + 1) * share).min(panels);
            dispatch(Block { product: self, rows, panels, out });
        });
    }
}

struct Block<'a> {
    product: &'a Product<'a>,
    rows: std::ops::Range<usize>,
    panels: std::ops::Range<usize>,
    out: SharedMut<'a>,
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Product { source, len, segments, panels, place, bias, finish, .. } = *self.product;
        let (count, tiles) = (segments.len(), self.rows.len().div_ceil(ROWS));
        // Where each row's pieces are, tile by tile.
        let mut pieces = vec![[ZEROS.as_ptr(); ROWS]; tiles * count];
        let mut places = Vec::with_capacity(self.rows.len());
        let mut starts = vec![NOWHERE; count];
        for (i, row) in self.rows.enumerate() {
            places.push(place(row, &mut starts));
            for (piece, &start) in starts.iter().enumerate() {
                if start != NOWHERE {
                    pieces[i / ROWS * count + piece][i % ROWS] = source[start..start + len].as_ptr();
                }
            }
        }
        let step = len.min(GROUP);
        let together = GROUP / step;
        for index in self.panels {
            let (panel, columns, width) = panels.panel(index);
            let first_column = index * panels.width;
            let mut initial = [0.0; WIDEST];
            if let Some(bias) = bias {
                initial[..columns].copy_from_slice(&bias[first_column..first_column + columns]);
            }
            for from in (0..count).step_by(together) {
                let to = (from + together).min(count);
                for begin in (0..len).step_by(step) {
                    let end = (begin + step).min(len);
                    let (first, last) = (from == 0 && begin == 0, to == count && end == len);
                    for (tile, places) in places.chunks(ROWS).enumerate() {
                        let piece = Piece {
                            rows: &pieces[tile * count..][from..to],
                            segments: &segments[from..to],
                            panel: &panel[begin * width..],
                            stride: len * width,
                            begin,
                            k: end - begin,
                        };
                        let mut scratch = [[0.0; WIDEST]; ROWS];
                        // A tile that is not full goes by way of the scratch.
                        let whole = columns == width && places.len() == ROWS;
                        let mut rows = [std::ptr::null_mut(); ROWS];
                        for (i, row) in rows.iter_mut().enumerate() {
                            *row = match places.get(i) {
                                // SAFETY: the row's part belongs to this tile, by the caller's promise.
                                Some(&at) if whole => unsafe {
                                    self.out.pointer(at + first_column, at + first_column + columns - 1)
                                },
                                _ => scratch[i].as_mut_ptr(),
                            };
                        }
                        if !whole && !first {
                            for (row, &at) in scratch.iter_mut().zip(places) {
                                // SAFETY: as above.
                                row[..columns].copy_from_slice(unsafe { self.out.part(at + first_column, columns) });
                            }
                        }
                        let initial = first.then_some(&initial);
                        // SAFETY: every piece has `len` values from its pointer, or is `ZEROS` and is not moved; each
                        // of the rows has room for the panel's width.
                        unsafe { piece.add(simd, width / S::F32_LANES, initial, rows) };
                        if !whole {
                            for (row, &at) in scratch.iter().zip(places) {
                                // SAFETY: as above.
                                unsafe { self.out.part(at + first_column, columns) }.copy_from_slice(&row[..columns]);
                            }
                        }
                        if let (true, Some(finish)) = (last, finish) {
                            for &at in places {
                                // SAFETY: as above.
                                finish(at + first_column, unsafe { self.out.part(at + first_column, columns) });
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A stretch of the sum over `k`, for one tile.
struct Piece<'a> {
    rows: &'a [[*const f32; ROWS]],
    segments: &'a [usize],
    /// The panel, from row `begin` of its first segment.
    panel: &'a [f32],
    /// Values from one segment of the panel to the next.
    stride: usize,
    /// First value of each piece, and how many.
    begin: usize,
    k: usize,
}

impl Piece<'_> {
    /// Adds to the rows, or to `initial` if it is given.
    ///
    /// # Safety
    /// `rows` point to `vectors` registers that belong to the caller, the pieces to `begin + k` values or to [`ZEROS`].
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, simd: S, vectors: usize, initial: Option<&[f32; WIDEST]>, rows: [*mut f32; ROWS]) {
        // SAFETY: passed on.
        unsafe {
            match vectors {
                1 => self.tile::<S, 1>(simd, initial, rows),
                2 => self.tile::<S, 2>(simd, initial, rows),
                3 if self::vectors::<S>() > 2 => self.tile::<S, 3>(simd, initial, rows),
                _ if self::vectors::<S>() > 2 => self.tile::<S, 4>(simd, initial, rows),
                _ => {}
            }
        }
    }

    /// # Safety
    /// As [`Piece::add`], with `V` registers.
    #[inline(always)]
    unsafe fn tile<S: Simd, const V: usize>(&self, simd: S, initial: Option<&[f32; WIDEST]>, rows: [*mut f32; ROWS]) {
        let lanes = S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
        for (sums, row) in sums.iter_mut().zip(rows) {
            for (v, sum) in sums.iter_mut().enumerate() {
                let from = initial.map_or(row.cast_const(), |initial| initial.as_ptr());
                // SAFETY: `V` registers from `from`, by the caller's promise; `initial` is as long as the widest panel.
                *sum = unsafe { from.add(v * lanes).cast::<S::f32s>().read_unaligned() };
            }
        }
        for (pieces, segment) in self.rows.iter().zip(self.segments) {
            if pieces.iter().all(|&piece| piece == ZEROS.as_ptr()) {
                continue;
            }
            let mut pieces = *pieces;
            for piece in &mut pieces {
                if *piece != ZEROS.as_ptr() {
                    // SAFETY: `begin` is inside the piece.
                    *piece = unsafe { piece.add(self.begin) };
                }
            }
            let panel = self.panel[segment * self.stride..][..self.k * V * lanes].as_ptr();
            for k in 0..self.k {
                // SAFETY: the slice above has `k` rows of `V` registers.
                let columns: [S::f32s; V] = std::array::from_fn(|v| unsafe {
                    panel.add((k * V + v) * lanes).cast::<S::f32s>().read_unaligned()
                });
                for (sums, piece) in sums.iter_mut().zip(pieces) {
                    // SAFETY: a piece has at least `k` values from here, and `ZEROS` has `GROUP`.
                    let value = simd.splat_f32s(unsafe { *piece.add(k) });
                    for (sum, &column) in sums.iter_mut().zip(&columns) {
                        *sum = simd.mul_add_e_f32s(value, column, *sum);
                    }
                }
            }
        }
        for (sums, row) in sums.iter().zip(rows) {
            for (v, &sum) in sums.iter().enumerate() {
                // SAFETY: as for reading.
                unsafe { row.add(v * lanes).cast::<S::f32s>().write_unaligned(sum) };
            }
        }
    }
}
