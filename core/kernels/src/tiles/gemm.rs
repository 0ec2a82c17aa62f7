//! Rows of pieces times a packed matrix.
#![allow(unsafe_code)]

use super::{Epilogue, MAX_NR, MR, PackedB, vectors};
use crate::shared::SharedMut;
use crate::simd::dispatch;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// A piece that lies outside of the image: zeros.
pub(crate) const PADDING: usize = usize::MAX;

/// Values of `k` (BLIS' KC) that are summed up before the next panel: with six rows of that length, a panel's part
/// stays in the nearest cache.
const KC: usize = 256;

/// Rows that one task works on: BLIS' MC.
const MC: usize = 16 * MR;

/// Values of panels that stay in the second cache: BLIS' NC, but counted in values, since panels differ in depth.
const NC: usize = 1 << 16;

static ZEROS: [f32; KC] = [0.0; KC];

/// `out[place(row)] = Σ_piece source[piece of row] · panels[piece] + bias`, for every row.
pub(crate) struct Gemm<'a> {
    pub(crate) rows: usize,
    /// What the rows' pieces are cut from.
    pub(crate) source: &'a [f32],
    /// Length of a piece.
    pub(crate) len: usize,
    /// Which rows of the panels a piece meets: those from `segments[piece] * len`.
    pub(crate) segments: &'a [usize],
    pub(crate) panels: &'a PackedB,
    /// Writes where the pieces of a row begin in the source ([`PADDING`] for zeros), and returns where the row's result
    /// begins in the output.
    pub(crate) place: &'a (dyn Fn(usize, &mut [usize]) -> usize + Sync),
    /// Added to every row.
    pub(crate) bias: Option<&'a [f32]>,
    /// Whether to add to what the rows hold already, instead of beginning with the bias.
    pub(crate) accumulate: bool,
    /// Applied to each finished part of a row.
    pub(crate) epilogue: Option<&'a Epilogue<'a>>,
}

impl Gemm<'_> {
    /// Computes all rows: afterwards the `n` values from the place of each row on are written.
    ///
    /// # Safety
    /// No two rows may have overlapping places, and nothing else may use them meanwhile. If the product accumulates,
    /// the rows must have been written before.
    pub(crate) unsafe fn run(&self, out: SharedMut<'_>) {
        let (blocks, panels) = (self.rows.div_ceil(MC), self.panels.count());
        // Few rows are cut by panels too, so that there is work for every thread.
        let parts = 32usize.div_ceil(blocks).min(panels);
        let share = panels.div_ceil(parts);
        // Tiles read whole registers.
        let mut bias = self.bias.map(<[f32]>::to_vec).unwrap_or_default();
        bias.resize(bias.len().next_multiple_of(MAX_NR), 0.0);
        (0..blocks * parts).into_par_iter().for_each(|task| {
            let (block, part) = (task / parts, task % parts);
            let rows = block * MC..((block + 1) * MC).min(self.rows);
            let panels = part * share..((part + 1) * share).min(panels);
            dispatch(Block { gemm: self, bias: &bias, rows, panels, out });
        });
    }

    /// Computes some rows' values in some panels on this thread, without a bias: for operations that cut their work
    /// themselves and go on with what they have just computed.
    ///
    /// # Safety
    /// As [`Gemm::run`]; if the product accumulates, the rows must have been written before.
    pub(crate) unsafe fn run_part(&self, rows: Range<usize>, panels: Range<usize>, out: SharedMut<'_>) {
        dispatch(Block { gemm: self, bias: &[], rows, panels, out });
    }
}

struct Block<'a> {
    gemm: &'a Gemm<'a>,
    bias: &'a [f32],
    rows: Range<usize>,
    panels: Range<usize>,
    /// Where no other block has the same rows and panels, and so the same places.
    out: SharedMut<'a>,
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Gemm { source, len, segments, panels, place, epilogue, accumulate, .. } = *self.gemm;
        let bias = self.bias;
        let (count, tiles) = (segments.len(), self.rows.len().div_ceil(MR));
        // Where each row's pieces are, tile by tile.
        let mut pieces = vec![[ZEROS.as_ptr(); MR]; tiles * count];
        let mut places = Vec::with_capacity(self.rows.len());
        let mut starts = vec![PADDING; count];
        for (i, row) in self.rows.enumerate() {
            places.push(place(row, &mut starts));
            for (piece, &start) in starts.iter().enumerate() {
                if start != PADDING {
                    pieces[i / MR * count + piece][i % MR] = source[start..start + len].as_ptr();
                }
            }
        }
        let groups = groups(count, len);
        // While a panel's part of `k` is in the cache all tiles use it; but if the panels fit whole, it is better to
        // finish a tile's rows, which lie together in the output.
        let by_rows = groups.len() == 1 && count * len * panels.width * self.panels.len() <= NC;
        let (outer, inner) = if by_rows { (tiles, self.panels.len()) } else { (self.panels.len(), tiles) };
        let mut scratch = [[0.0; MAX_NR]; MR];
        for outer in 0..outer {
            for (group, stretch) in groups.iter().enumerate() {
                for inner in 0..inner {
                    let (tile, panel) = if by_rows { (outer, inner) } else { (inner, outer) };
                    let (index, places) = (self.panels.start + panel, &places[tile * MR..]);
                    let places = &places[..places.len().min(MR)];
                    let (panel, columns, width) = panels.panel(index);
                    let column = index * panels.width;
                    // SAFETY: the columns of a row belong to this task, and only one part is in use at a time.
                    let part = |at: usize| unsafe { self.out.part(at + column, columns) };
                    // A tile that is not full goes by way of the scratch.
                    let whole = columns == width && places.len() == MR;
                    let mut rows = [std::ptr::null_mut(); MR];
                    for (i, row) in rows.iter_mut().enumerate() {
                        *row = if whole { part(places[i]).as_mut_ptr() } else { scratch[i].as_mut_ptr() };
                    }
                    let adds = group > 0 || accumulate;
                    if !whole && adds {
                        for (row, &at) in scratch.iter_mut().zip(places) {
                            // SAFETY: the group before has written the part, or the caller.
                            row[..columns].copy_from_slice(unsafe { part(at).assume_filled() });
                        }
                    }
                    let piece = Piece {
                        rows: &pieces[tile * count..][stretch.pieces.clone()],
                        segments: &segments[stretch.pieces.clone()],
                        panel: &panel[stretch.begin * width..],
                        stride: len * width,
                        begin: stretch.begin,
                        k: stretch.k,
                    };
                    let initial = (!adds).then(|| if bias.is_empty() { &ZEROS } else { &bias[column..] });
                    // SAFETY: every piece has `len` values from its pointer, or is `ZEROS` and is not moved; each of
                    // the rows has room for the panel's width.
                    unsafe { piece.add(simd, width / S::F32_LANES, initial, rows) };
                    if !whole {
                        for (row, &at) in scratch.iter().zip(places) {
                            part(at).copy(&row[..columns]);
                        }
                    }
                    if let (true, Some(epilogue)) = (group + 1 == groups.len(), epilogue) {
                        for &at in places {
                            // SAFETY: written just now.
                            epilogue.apply(at + column, unsafe { part(at).assume_filled() });
                        }
                    }
                }
            }
        }
    }
}

/// A part of the sum over `k`: some pieces of a row, or a stretch of one.
struct Stretch {
    pieces: Range<usize>,
    /// First value of each piece, and how many.
    begin: usize,
    k: usize,
}

/// Cuts `count` pieces of `len` values into stretches of about [`KC`].
fn groups(count: usize, len: usize) -> Vec<Stretch> {
    let together = (KC / len).max(1);
    let pieces = (0..count).step_by(together).map(|from| from..(from + together).min(count));
    pieces
        .flat_map(|pieces| {
            let begins = (0..len).step_by(KC);
            begins.map(move |begin| Stretch { pieces: pieces.clone(), begin, k: KC.min(len - begin) })
        })
        .collect()
}

/// A stretch of the sum over `k`, for one tile.
struct Piece<'a> {
    rows: &'a [[*const f32; MR]],
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
    unsafe fn add<S: Simd>(&self, simd: S, vectors: usize, initial: Option<&[f32]>, rows: [*mut f32; MR]) {
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
    unsafe fn tile<S: Simd, const V: usize>(&self, simd: S, initial: Option<&[f32]>, rows: [*mut f32; MR]) {
        let lanes = S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); V]; MR];
        let initial = initial.map(|initial| initial[..V * lanes].as_ptr());
        for (sums, row) in sums.iter_mut().zip(rows) {
            for (v, sum) in sums.iter_mut().enumerate() {
                let from = initial.unwrap_or(row.cast_const());
                // SAFETY: `V` registers from `from`, by the slice above or by the caller's promise.
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
                    // SAFETY: a piece has at least `k` values from here, and `ZEROS` has `KC`.
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
