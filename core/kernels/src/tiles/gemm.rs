//! Rows of pieces times a packed matrix.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Rows and columns of small matrices read best by index.

use super::amx::{Amx, SIDE};
use super::{Element, Epilogue, MAX_NR, PackedB, vectors};
use crate::activation::Activation;
use crate::shared::SharedMut;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;
use std::slice;

/// A piece that lies outside of the image: zeros.
pub(crate) const PADDING: usize = usize::MAX;

/// Rows that one task works on: BLIS' MC.
const MC: usize = 8 * MOST_ROWS;

/// Tasks among which threads can share work out evenly.
const ENOUGH: usize = 8;

/// Rows of the highest tiles, which are narrow. One as wide as a full panel has six.
const MOST_ROWS: usize = 12;

/// Values of panels that stay in the second cache: BLIS' NC, but counted in values, since panels differ in depth.
const NC: usize = 1 << 16;

/// The longest piece, in lanes, that may lie outside of the image.
pub(crate) const MOST_PADDING: usize = 1 << 12;

/// What such a piece points to.
static ZEROS: [f32; MOST_PADDING] = [0.0; MOST_PADDING];

#[inline(always)]
pub(super) fn zeros<E>() -> *const E {
    ZEROS.as_ptr().cast()
}

/// `out[place(row)] = Σ_piece source[piece of row] · panels[piece] + bias`, for every row.
pub(crate) struct Gemm<'a, E = f32> {
    pub(crate) rows: usize,
    /// What the rows' pieces are cut from.
    pub(crate) source: &'a [E],
    /// Length of a piece: whole lanes.
    pub(crate) len: usize,
    /// Which rows of the panels a piece meets: those from `segments[piece] * len`.
    pub(crate) segments: &'a [usize],
    pub(crate) panels: &'a PackedB,
    pub(crate) place: Place<'a>,
    /// Added to every row.
    pub(crate) bias: Option<&'a [f32]>,
    /// Whether to add to what the rows hold already, instead of beginning with the bias.
    pub(crate) accumulate: bool,
    /// Applied to each finished part of a row.
    pub(crate) epilogue: Option<&'a Epilogue<'a, E>>,
}

/// Where a product's rows are read and written.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// A matrix that lies row by row, each row one piece, becomes another.
    Rows,
    /// Writes where the pieces of a row begin in the source ([`PADDING`] for zeros), and returns where the row's result
    /// begins in the output.
    Each(&'a (dyn Fn(usize, &mut [usize]) -> usize + Sync)),
}

impl<E: Element> Gemm<'_, E> {
    /// Computes all rows: afterwards the `n` values from the place of each row on are written.
    ///
    /// # Safety
    /// No two rows may have overlapping places, and nothing else may use them meanwhile. If the product accumulates,
    /// the rows must have been written before.
    pub(crate) unsafe fn run(&self, out: SharedMut<'_, E>) {
        // Few rows are cut by panels too, and then into lower blocks, so that there is work for every thread.
        let panels = self.panels.count();
        let parts = 32usize.div_ceil(self.rows.div_ceil(MC)).min(panels);
        let share = panels.div_ceil(parts);
        let whole = if E::by_squares() { 2 * SIDE } else { MOST_ROWS };
        let height = self.rows.div_ceil(ENOUGH.div_ceil(parts)).next_multiple_of(whole).min(MC);
        let blocks = self.rows.div_ceil(height);
        let bias = self.bias.map(whole_registers).unwrap_or_default();
        (0..blocks * parts).into_par_iter().for_each(|task| {
            let (block, part) = (task / parts, task % parts);
            let rows = block * height..((block + 1) * height).min(self.rows);
            let panels = part * share..((part + 1) * share).min(panels);
            E::run(Block { gemm: self, bias: &bias, rows, panels, out });
        });
    }

    /// Computes some rows' values in some panels on this thread, for operations that cut their work themselves and go
    /// on with what they have just computed. The bias has to be filled up by [`whole_registers`].
    ///
    /// # Safety
    /// As [`Gemm::run`]; if the product accumulates, the rows must have been written before.
    pub(crate) unsafe fn run_part(&self, rows: Range<usize>, panels: Range<usize>, out: SharedMut<'_, E>) {
        let bias = self.bias.unwrap_or(&[]);
        assert!(bias.is_empty() || bias.len() >= self.panels.n.next_multiple_of(MAX_NR), "a bias of its bare length");
        E::run(Block { gemm: self, bias, rows, panels, out });
    }
}

/// A bias filled up with zeros, since tiles read whole registers.
pub(crate) fn whole_registers(bias: &[f32]) -> Vec<f32> {
    let mut bias = bias.to_vec();
    bias.resize(bias.len().next_multiple_of(MAX_NR), 0.0);
    bias
}

/// Some rows in some panels.
pub(super) struct Block<'a, E> {
    pub(super) gemm: &'a Gemm<'a, E>,
    pub(super) bias: &'a [f32],
    pub(super) rows: Range<usize>,
    pub(super) panels: Range<usize>,
    /// Where no other block has the same rows and panels, and so the same places.
    pub(super) out: SharedMut<'a, E>,
}

impl<E: Element> WithSimd for Block<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (count, rows) = (self.gemm.segments.len(), self.rows.len());
        // Where each row's pieces are, and room for a tile beyond the last row.
        let depth = rows + MOST_ROWS;
        let mut pieces = vec![zeros::<E>(); depth * count];
        let mut places = vec![0; rows];
        self.locate(&mut pieces, &mut places);
        if E::by_squares()
            && let Some(amx) = Amx::new()
        {
            return self.by_squares(simd, &amx, &pieces, depth, &places);
        }
        let groups = groups(count, self.gemm.len / E::PER_LANE, E::STRETCH);
        // While a panel's part of `k` is in the cache all rows use it; but if the panels fit whole, it is better to
        // finish some rows, which lie together in the output.
        let panels = self.gemm.panels;
        let by_rows = groups.len() == 1 && panels.depth * panels.width * self.panels.len() <= NC;
        let strip = if by_rows { MOST_ROWS } else { rows };
        for first in (0..rows).step_by(strip) {
            let strip = strip.min(rows - first);
            for index in self.panels.clone() {
                for (group, stretch) in groups.iter().enumerate() {
                    let tiles = Tiles {
                        block: &self,
                        panel: panels.panel(index),
                        pieces: &pieces,
                        depth,
                        places: &places,
                        index,
                        stretch,
                        adds: group > 0 || self.gemm.accumulate,
                        epilogue: self.gemm.epilogue.filter(|_| group + 1 == groups.len()),
                    };
                    tiles.run(simd, first..first + strip);
                }
            }
        }
    }
}

impl<E: Element> Block<'_, E> {
    /// Finds the rows' pieces and places.
    #[inline(always)]
    fn locate(&self, pieces: &mut [*const E], places: &mut [usize]) {
        let Gemm { source, len, segments, panels, place, .. } = *self.gemm;
        match place {
            Place::Rows => {
                let source = &source[self.rows.start * len..self.rows.end * len];
                let rows = source.chunks_exact(len).zip(self.rows.clone());
                for ((piece, place), (source, row)) in pieces.iter_mut().zip(places).zip(rows) {
                    (*piece, *place) = (source.as_ptr(), row * panels.n);
                }
            }
            Place::Each(locate) => {
                assert!((len / E::PER_LANE).min(E::STRETCH) <= MOST_PADDING, "a piece of {len} values");
                let mut starts = vec![PADDING; segments.len()];
                let depth = pieces.len() / segments.len();
                for (i, row) in self.rows.clone().enumerate() {
                    places[i] = locate(row, &mut starts);
                    for (piece, &start) in starts.iter().enumerate() {
                        if start != PADDING {
                            pieces[piece * depth + i] = source[start..start + len].as_ptr();
                        }
                    }
                }
            }
        }
    }
}

/// The tiles of a block in a panel, and in a stretch of the sum.
struct Tiles<'a, E> {
    block: &'a Block<'a, E>,
    /// A piece's pointers for all rows, `depth` of them, then the next piece's.
    pieces: &'a [*const E],
    depth: usize,
    places: &'a [usize],
    /// The panel's values, columns and width.
    panel: (&'a [f32], usize, usize),
    /// Its number.
    index: usize,
    stretch: &'a Stretch,
    /// Whether to add to what is there.
    adds: bool,
    /// What follows, if this is the last stretch.
    epilogue: Option<&'a Epilogue<'a, E>>,
}

impl<E: Element> Tiles<'_, E> {
    /// Narrow panels get high tiles: as many sums as there are registers for, and pointers to rows.
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, rows: Range<usize>) {
        let wide = vectors::<S>() > 2;
        match self.panel.2 / S::F32_LANES {
            1 => self.high::<S, 12, 1>(simd, rows),
            2 if wide => self.high::<S, 12, 2>(simd, rows),
            2 => self.high::<S, 6, 2>(simd, rows),
            3 if wide => self.high::<S, 6, 3>(simd, rows),
            _ if wide => self.high::<S, 6, 4>(simd, rows),
            _ => {}
        }
    }

    /// Tiles of `R` rows, and lower ones for what is left.
    #[inline(always)]
    fn high<S: Simd, const R: usize, const V: usize>(&self, simd: S, rows: Range<usize>) {
        let mut first = rows.start;
        while first < rows.end {
            let left = rows.end - first;
            first += match left {
                1 => self.tile::<S, 1, V>(simd, first, 1),
                2..=6 => self.tile::<S, 6, V>(simd, first, left),
                _ => self.tile::<S, R, V>(simd, first, left.min(R)),
            };
        }
    }

    /// A tile of `R` rows, of which `count` are there, and are counted.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(&self, simd: S, first: usize, count: usize) -> usize {
        let Block { gemm, bias, out, .. } = self.block;
        let (panel, columns, width) = self.panel;
        let (column, places) = (self.index * gemm.panels.width, &self.places[first..first + count]);
        // SAFETY: the columns of a row belong to this task, and only one part is in use at a time.
        let part = |at: usize| unsafe { out.part(at + column, columns) };
        let mut rows = [std::ptr::null_mut(); R];
        for (row, &at) in rows.iter_mut().zip(places) {
            *row = part(at).as_mut_ptr();
        }
        let stretch = self.stretch;
        let piece = Piece {
            pieces: &self.pieces[stretch.pieces.start * self.depth + first..],
            depth: self.depth,
            segments: &gemm.segments[stretch.pieces.clone()],
            panel: &panel[stretch.begin * width..],
            stride: gemm.len / E::PER_LANE * width,
            begin: stretch.begin,
            k: stretch.k,
            last: columns - (V - 1) * S::F32_LANES,
        };
        let initial = (!self.adds).then(|| if bias.is_empty() { &ZEROS[..] } else { &bias[column..] });
        let now = self.epilogue.filter(|epilogue| epilogue.in_registers());
        let residual = now.and_then(|epilogue| epilogue.residual);
        let mut beside = [std::ptr::null(); R];
        if let Some(residual) = residual {
            for (beside, &at) in beside.iter_mut().zip(places) {
                *beside = residual[at + column..][..columns].as_ptr();
            }
        }
        let activation = now.map_or(Activation::None, |epilogue| epilogue.activation);
        // SAFETY: every piece has `len` values from its pointer, or is `ZEROS` and is not moved; the first `count` rows
        // have `columns` values each, and so has the residual, if there is one.
        unsafe { piece.add::<S, R, V>(simd, initial, (rows, count), residual.map(|_| beside), activation) };
        if let (Some(epilogue), None) = (self.epilogue, now) {
            for &at in places {
                // SAFETY: written just now.
                E::finish(epilogue, at + column, unsafe { part(at).assume_filled() });
            }
        }
        count
    }
}

/// A part of the sum over `k`: some pieces of a row, or a stretch of one.
struct Stretch {
    pieces: Range<usize>,
    /// First lane of each piece, and how many.
    begin: usize,
    k: usize,
}

/// Cuts `count` pieces of `len` lanes into stretches of about `most`.
fn groups(count: usize, len: usize, most: usize) -> Vec<Stretch> {
    let together = (most / len).max(1);
    let pieces = (0..count).step_by(together).map(|from| from..from.saturating_add(together).min(count));
    pieces
        .flat_map(|pieces| {
            // Of about one length: a short one would cost as much around it as a long one.
            let k = len.div_ceil(len.div_ceil(most));
            let begins = (0..len).step_by(k);
            begins.map(move |begin| Stretch { pieces: pieces.clone(), begin, k: k.min(len - begin) })
        })
        .collect()
}

/// A stretch of the sum over `k`, for one tile.
struct Piece<'a, E> {
    /// A piece's pointers for all rows from the tile's first on, `depth` from the next piece's.
    pieces: &'a [*const E],
    depth: usize,
    segments: &'a [usize],
    /// The panel, from row `begin` of its first segment.
    panel: &'a [f32],
    /// Values from one segment of the panel to the next.
    stride: usize,
    /// First lane of each piece, and how many.
    begin: usize,
    k: usize,
    /// Values of the last register that count.
    last: usize,
}

impl<E: Element> Piece<'_, E> {
    /// Adds to the rows, or to `initial` if it is given; then adds what is `beside` them, and applies the activation.
    ///
    /// # Safety
    /// The first `count` of the rows and of what is beside them point to `(V - 1)` registers and `last` values, of the
    /// rows exclusively; the pieces point to `begin + k` values or to [`ZEROS`].
    #[inline(always)]
    unsafe fn add<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        initial: Option<&[f32]>,
        (rows, count): ([*mut E; R], usize),
        beside: Option<[*const E; R]>,
        activation: Activation,
    ) {
        let lanes = S::F32_LANES;
        let whole = count == R && self.last == lanes;
        // SAFETY: by the caller's promise, if all rows are whole.
        let register = |from: *const E, v: usize| unsafe { E::read(simd, from.add(v * lanes)) };
        // What a loop of unknown length touches lies in memory: the sums are touched by none, and stay in registers.
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        if let Some(initial) = initial {
            let (initial, _) = S::as_simd_f32s(&initial[..V * lanes]);
            for v in 0..V {
                let value = initial[v];
                for row in 0..R {
                    sums[row][v] = value;
                }
            }
        } else if whole {
            for row in 0..R {
                for v in 0..V {
                    sums[row][v] = register(rows[row], v);
                }
            }
        } else {
            // SAFETY: passed on.
            let there: [[S::f32s; V]; R] = unsafe { self.read(simd, rows.map(<*mut E>::cast_const), count) };
            for row in 0..R {
                for v in 0..V {
                    sums[row][v] = there[row][v];
                }
            }
        }
        for (pieces, segment) in self.pieces.chunks(self.depth).zip(self.segments) {
            let mut pieces: [*const E; R] = *pieces.first_chunk().unwrap_or(&[zeros(); R]);
            if pieces.iter().all(|&piece| piece == zeros()) {
                continue;
            }
            for piece in &mut pieces {
                if *piece != zeros() {
                    // SAFETY: `begin` is inside the piece.
                    *piece = unsafe { piece.add(self.begin * E::PER_LANE) };
                }
            }
            let panel = self.panel[segment * self.stride..][..self.k * V * lanes].as_ptr();
            for k in 0..self.k {
                // SAFETY: the slice above has `k` rows of `V` registers.
                let columns: [S::f32s; V] = std::array::from_fn(|v| unsafe {
                    panel.add((k * V + v) * lanes).cast::<S::f32s>().read_unaligned()
                });
                for (sums, piece) in sums.iter_mut().zip(pieces) {
                    // SAFETY: a piece has at least `k` lanes from here, and so have the zeros.
                    unsafe {
                        let lane = piece.add(k * E::PER_LANE);
                        for (sum, &column) in sums.iter_mut().zip(&columns) {
                            *sum = E::multiply_add(simd, lane, column, *sum);
                        }
                    }
                }
            }
        }
        if let Some(beside) = beside {
            if whole {
                for (sums, beside) in sums.iter_mut().zip(beside) {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = simd.add_f32s(*sum, register(beside, v));
                    }
                }
            } else {
                // SAFETY: passed on.
                let beside: [[S::f32s; V]; R] = unsafe { self.read(simd, beside, count) };
                for (sums, beside) in sums.iter_mut().zip(&beside) {
                    for (sum, &beside) in sums.iter_mut().zip(beside) {
                        *sum = simd.add_f32s(*sum, beside);
                    }
                }
            }
        }
        let sums = activation.of_registers(simd, sums);
        if whole {
            for (row, sums) in rows.into_iter().zip(sums) {
                for (v, sum) in sums.into_iter().enumerate() {
                    // SAFETY: by the caller's promise.
                    unsafe { E::write(simd, row.add(v * lanes), sum) };
                }
            }
        } else {
            let mut there = [[simd.splat_f32s(0.0); V]; R];
            for row in 0..R {
                for v in 0..V {
                    there[row][v] = sums[row][v];
                }
            }
            for (row, sums) in rows.into_iter().zip(&there).take(count) {
                for (v, &sum) in sums.iter().enumerate() {
                    // SAFETY: by the caller's promise.
                    let to = unsafe { slice::from_raw_parts_mut(row.add(v * lanes), self.len::<S, V>(v)) };
                    E::store(simd, to, sum);
                }
            }
        }
    }

    /// What stands in the first `count` rows.
    ///
    /// # Safety
    /// They have to be as [`Piece::add`] wants them.
    #[inline(always)]
    unsafe fn read<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        rows: [*const E; R],
        count: usize,
    ) -> [[S::f32s; V]; R] {
        let mut registers = [[simd.splat_f32s(0.0); V]; R];
        for (registers, row) in registers.iter_mut().zip(rows).take(count) {
            for (v, register) in registers.iter_mut().enumerate() {
                // SAFETY: by the caller's promise.
                *register =
                    E::load(simd, unsafe { slice::from_raw_parts(row.add(v * S::F32_LANES), self.len::<S, V>(v)) });
            }
        }
        registers
    }

    /// Values of a row's register: all but the last one are whole.
    #[inline(always)]
    fn len<S: Simd, const V: usize>(&self, v: usize) -> usize {
        if v + 1 < V { S::F32_LANES } else { self.last }
    }
}
