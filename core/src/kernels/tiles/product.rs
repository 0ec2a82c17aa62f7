//! Rows of pieces times a packed matrix.
#![allow(unsafe_code)]

use super::{Finish, Panels, ROWS, WIDEST, vectors};
use crate::kernels::shared::SharedMut;
use crate::kernels::simd::dispatch;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// A piece that lies outside of the image: zeros.
pub(in crate::kernels) const NOWHERE: usize = usize::MAX;

/// Values of `k` that are summed up before the next panel: with six rows of that length, a panel's part stays in the
/// nearest cache.
const GROUP: usize = 256;

/// Rows that one task works on.
const BLOCK: usize = 16 * ROWS;

/// Values of panels that stay in the second cache.
const CACHED: usize = 1 << 16;

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
    /// The last word on a finished part of a row.
    pub(in crate::kernels) finish: Option<&'a Finish<'a>>,
}

impl Product<'_> {
    /// Computes all rows. No two may have overlapping places.
    pub(in crate::kernels) fn run(&self, out: &mut [f32]) {
        let (blocks, panels) = (self.rows.div_ceil(BLOCK), self.panels.count());
        // Few rows are cut by panels too, so that there is work for every thread.
        let parts = 32usize.div_ceil(blocks).min(panels);
        let share = panels.div_ceil(parts);
        // Tiles read whole registers.
        let mut bias = self.bias.map(<[f32]>::to_vec).unwrap_or_default();
        bias.resize(bias.len().next_multiple_of(WIDEST), 0.0);
        let out = SharedMut::new(out);
        (0..blocks * parts).into_par_iter().for_each(|task| {
            let (block, part) = (task / parts, task % parts);
            let rows = block * BLOCK..((block + 1) * BLOCK).min(self.rows);
            let panels = part * share..((part + 1) * share).min(panels);
            dispatch(Block { product: self, bias: &bias, rows, panels, out });
        });
    }
}

struct Block<'a> {
    product: &'a Product<'a>,
    bias: &'a [f32],
    rows: Range<usize>,
    panels: Range<usize>,
    out: SharedMut<'a>,
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Product { source, len, segments, panels, place, finish, .. } = *self.product;
        let bias = self.bias;
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
        let groups = groups(count, len);
        // While a panel's part of `k` is in the cache all tiles use it; but if the panels fit whole, it is better to
        // finish a tile's rows, which lie together in the output.
        let by_rows = groups.len() == 1 && count * len * panels.width * self.panels.len() <= CACHED;
        let (outer, inner) = if by_rows { (tiles, self.panels.len()) } else { (self.panels.len(), tiles) };
        let mut scratch = [[0.0; WIDEST]; ROWS];
        for outer in 0..outer {
            for (group, stretch) in groups.iter().enumerate() {
                for inner in 0..inner {
                    let (tile, panel) = if by_rows { (outer, inner) } else { (inner, outer) };
                    let (index, places) = (self.panels.start + panel, &places[tile * ROWS..]);
                    let places = &places[..places.len().min(ROWS)];
                    let (panel, columns, width) = panels.panel(index);
                    let column = index * panels.width;
                    // SAFETY: the columns of a row belong to this task, and only one part is in use at a time.
                    let part = |at: usize| unsafe { self.out.part(at + column, columns) };
                    // A tile that is not full goes by way of the scratch.
                    let whole = columns == width && places.len() == ROWS;
                    let mut rows = [std::ptr::null_mut(); ROWS];
                    for (i, row) in rows.iter_mut().enumerate() {
                        *row = if whole { part(places[i]).as_mut_ptr() } else { scratch[i].as_mut_ptr() };
                    }
                    if !whole && group > 0 {
                        scratch.iter_mut().zip(places).for_each(|(row, &at)| row[..columns].copy_from_slice(part(at)));
                    }
                    let piece = Piece {
                        rows: &pieces[tile * count..][stretch.pieces.clone()],
                        segments: &segments[stretch.pieces.clone()],
                        panel: &panel[stretch.begin * width..],
                        stride: len * width,
                        begin: stretch.begin,
                        k: stretch.k,
                    };
                    let initial = (group == 0).then(|| if bias.is_empty() { &ZEROS } else { &bias[column..] });
                    // SAFETY: every piece has `len` values from its pointer, or is `ZEROS` and is not moved; each of the
                    // rows has room for the panel's width.
                    unsafe { piece.add(simd, width / S::F32_LANES, initial, rows) };
                    if !whole {
                        scratch.iter().zip(places).for_each(|(row, &at)| part(at).copy_from_slice(&row[..columns]));
                    }
                    if let (true, Some(finish)) = (group + 1 == groups.len(), finish) {
                        places.iter().for_each(|&at| finish.apply(at + column, part(at)));
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

/// Cuts `count` pieces of `len` values into stretches of about [`GROUP`].
fn groups(count: usize, len: usize) -> Vec<Stretch> {
    let together = (GROUP / len).max(1);
    let pieces = (0..count).step_by(together).map(|from| from..(from + together).min(count));
    pieces
        .flat_map(|pieces| {
            let begins = (0..len).step_by(GROUP);
            begins.map(move |begin| Stretch { pieces: pieces.clone(), begin, k: GROUP.min(len - begin) })
        })
        .collect()
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
    unsafe fn add<S: Simd>(&self, simd: S, vectors: usize, initial: Option<&[f32]>, rows: [*mut f32; ROWS]) {
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
    unsafe fn tile<S: Simd, const V: usize>(&self, simd: S, initial: Option<&[f32]>, rows: [*mut f32; ROWS]) {
        let lanes = S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
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
