//! The gradient by the weight: for each tap, the sum over all pixels of the products of output gradients and inputs.
#![allow(unsafe_code)]

use super::forward::View;
use super::geometry::{Geometry, raster};
use crate::blank::{Blank, filled};
use crate::shared::SharedMut;
use crate::tiles::{Element, MAX_NR, PADDING, RankKUpdate};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::marker::PhantomData;
use std::ops::Range;

/// Output pixels that are summed up before the next tap. In squares the sums are in memory between two of them.
fn block_len<E: Element>() -> usize {
    if RankKUpdate::<E>::takes_all() { 256 } else { 128 }
}

/// `dw` `[O, C / groups, kh, kw]`.
pub(super) fn gradient_by_weight<E: Element>(g: &Geometry, dy: &[E], xs: &[E]) -> Vec<f32> {
    let view = View::new(g, xs);
    let each = g.co * g.ci * g.taps();
    filled(g.groups * each, |dw| {
        dw.chunks(each, 0..g.groups, |group, dw| {
            let sum = Sum {
                g,
                dy,
                view: &view,
                group,
                stride: view.segments.len() * RankKUpdate::<E>::padded_columns(view.len),
            };
            if sum.by_pixels() {
                sum.unpack(&sum.over_chunks(), dw)
            } else if g.taps() == 1 && view.len == g.ci {
                sum.one_tap(dw)
            } else {
                sum.unpack(&sum.over_panels(), dw)
            }
        })
    })
}

/// The sum for one group, as a matrix `[O, segment, C]` with whole tiles and registers.
struct Sum<'a, E: Element> {
    g: &'a Geometry,
    dy: &'a [E],
    view: &'a View<'a, E>,
    group: usize,
    /// Length of a row.
    stride: usize,
}

impl<E: Element> Sum<'_, E> {
    fn size(&self) -> usize {
        RankKUpdate::<E>::padded_rows(self.g.co) * self.stride
    }

    fn blocks(&self) -> usize {
        self.g.out_pixels().div_ceil(block_len::<E>())
    }

    /// Whether to cut the work by pixels, and add up what each chunk comes to: good for few weights and many pixels.
    fn by_pixels(&self) -> bool {
        self.blocks() >= 8 && self.size() <= 1 << 18
    }

    fn block(&self, index: usize) -> Block {
        let g = self.g;
        let range = index * block_len::<E>()..((index + 1) * block_len::<E>()).min(g.out_pixels());
        let pixels: Vec<_> = range.map(|index| raster(g.n, g.oh, g.ow, index)).collect();
        let row = |&(image, y, x): &(usize, usize, usize)| {
            &self.dy[((image * g.oh + y) * g.ow + x) * g.outputs() + self.group * g.co..][..g.co]
        };
        let left = RankKUpdate::<E>::pack_left(g.co, &pixels.iter().map(row).collect::<Vec<_>>());
        Block { pixels, left }
    }

    /// Few weights: a fixed number of chunks of pixels, whose sums are added in order.
    fn over_chunks(&self) -> Vec<f32> {
        let chunks = (self.blocks() / 4).clamp(2, 16);
        let each = self.blocks().div_ceil(chunks);
        let partial: Vec<Vec<f32>> = (0..self.blocks().div_ceil(each))
            .into_par_iter()
            .map(|chunk| {
                let mut sums = vec![0.0; self.size()];
                let mut right = Vec::new();
                for index in chunk * each..((chunk + 1) * each).min(self.blocks()) {
                    let block = self.block(index);
                    for segment in 0..self.view.segments.len() {
                        let sums = &mut sums[segment * RankKUpdate::<E>::padded_columns(self.view.len)..];
                        self.add(&block, segment, 0..self.view.len, &mut right, sums, self.stride);
                    }
                }
                sums
            })
            .collect();
        let mut partial = partial.into_iter();
        let mut total = partial.next().unwrap_or_default();
        for sums in partial {
            total.par_chunks_mut(1 << 13).zip(sums.par_chunks(1 << 13)).for_each(|(total, sums)| {
                total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            });
        }
        total
    }

    /// Many weights: each task owns some columns, and goes over all pixels.
    fn over_panels(&self) -> Vec<f32> {
        filled(self.size(), |mut total| {
            let out = SharedMut::new(&mut total);
            self.each_part(|segment, columns, sums, width| {
                let start = segment * RankKUpdate::<E>::padded_columns(self.view.len) + columns.start;
                for (row, sums) in sums.chunks_exact(width).enumerate() {
                    // SAFETY: no other task has these columns.
                    unsafe { out.part(row * self.stride + start, width) }.copy(sums);
                }
            });
            // SAFETY: the parts of a segment are all its columns, padding included, and each task wrote all rows of
            // its part.
            unsafe { total.assume_filled() }
        })
    }

    /// The same for one tap, whose columns go where they belong at once.
    fn one_tap<'a>(&self, mut dw: Blank<'a>) -> &'a mut [f32] {
        let (rows, row) = (self.g.co, self.g.ci);
        let out = SharedMut::new(&mut dw);
        self.each_part(|_, columns, sums, width| {
            for (i, sums) in sums.chunks_exact(width).take(rows).enumerate() {
                // SAFETY: no other task has these columns.
                unsafe { out.part(i * row + columns.start, columns.len()) }.copy(&sums[..columns.len()]);
            }
        });
        // SAFETY: the parts are all columns, and each task wrote all rows of its part.
        unsafe { dw.assume_filled() }
    }

    /// Calls `done` with each segment, some of its columns, and the sums in rows of the given width.
    fn each_part(&self, done: impl Fn(usize, Range<usize>, &[f32], usize) + Sync) {
        let blocks: Vec<Block> = (0..self.blocks()).into_par_iter().map(|index| self.block(index)).collect();
        // Columns of a task: a few panels, so that a block of gradients is used several times while it is in the cache.
        let columns = 64.max(RankKUpdate::<E>::width()).min(RankKUpdate::<E>::padded_columns(self.view.len));
        let parts = self.view.len.div_ceil(columns);
        let rows = RankKUpdate::<E>::padded_rows(self.g.co);
        (0..self.view.segments.len() * parts).into_par_iter().for_each(|task| {
            let (segment, part) = (task / parts, task % parts);
            let columns = part * columns..((part + 1) * columns).min(self.view.len);
            let width = RankKUpdate::<E>::padded_columns(columns.len());
            let mut sums = vec![0.0; rows * width];
            let mut right = Vec::new();
            for block in &blocks {
                self.add(block, segment, columns.clone(), &mut right, &mut sums, width);
            }
            done(segment, columns, &sums, width);
        });
    }

    /// Adds what a block of pixels contributes to some columns of a segment.
    fn add(
        &self,
        block: &Block,
        segment: usize,
        columns: Range<usize>,
        right: &mut Vec<f32>,
        sums: &mut [f32],
        stride: usize,
    ) {
        let (mut picks, mut starts) = (Vec::with_capacity(block_len::<E>()), Vec::with_capacity(block_len::<E>()));
        for (pick, pixels) in block.pixels.chunks(E::PER_LANE).enumerate() {
            // Where the pixels of a lane look: one alone may look at the padding, or not be there.
            let mut lane = [PADDING; 2];
            for (start, &(image, y, x)) in lane.iter_mut().zip(pixels) {
                *start = self.view.piece(image, y, x, self.group * self.g.ci, segment);
            }
            if lane != [PADDING; 2] || RankKUpdate::<E>::takes_all() {
                picks.push(pick as u32);
                starts.push(lane);
            }
        }
        right.resize(block_len::<E>() * RankKUpdate::<E>::width(), 0.0);
        for first in columns.clone().step_by(RankKUpdate::<E>::width()) {
            let n = RankKUpdate::<E>::width().min(columns.end - first);
            // Beyond the last column is what was there before, which goes into sums that are not read.
            let width = RankKUpdate::<E>::padded_columns(n);
            E::run(Right { source: &self.view.source[first..], starts: &starts, n, width, right });
            let (left, lanes, sums) = (&block.left, block.lanes::<E>(), &mut sums[first - columns.start..]);
            RankKUpdate { left, lanes, picks: &picks, right, width, sums, stride, element: PhantomData::<E> }.run();
        }
    }

    /// From rows `[segment, C]` to PyTorch's `[C, tap]`.
    fn unpack<'a>(&self, sums: &[f32], dw: Blank<'a>) -> &'a mut [f32] {
        let g = self.g;
        let (taps, columns) = (g.taps(), RankKUpdate::<E>::padded_columns(self.view.len));
        // There may be more rows of sums, with nothing in them: tiles are whole.
        dw.par_chunks(g.ci * taps, sums.par_chunks_exact(self.stride), |sums, dw| {
            // Taps that meet nothing but padding have no segment.
            let dw = dw.fill(0.0);
            for (&segment, sums) in self.view.segments.iter().zip(sums.chunks_exact(columns)) {
                // A segment holds the pixels of one tap, or of a row of taps.
                for (i, sums) in sums[..self.view.len].chunks_exact(self.view.pixel).enumerate() {
                    let tap = segment * (self.view.len / self.view.pixel) + i;
                    dw[tap..].iter_mut().step_by(taps).zip(&sums[..g.ci]).for_each(|(dw, sum)| *dw = *sum);
                }
            }
            dw
        })
    }
}

/// The inputs that a block's lanes meet, row by row.
struct Right<'a, E> {
    source: &'a [E],
    /// Where the pixels of each lane begin.
    starts: &'a [[usize; 2]],
    n: usize,
    width: usize,
    right: &'a mut [f32],
}

impl<E: Element> WithSimd for Right<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let zeros = [E::default(); MAX_NR];
        for (&[a, b], right) in self.starts.iter().zip(self.right.chunks_exact_mut(self.width)) {
            let row =
                |start: usize| if start == PADDING { &zeros[..self.n] } else { &self.source[start..start + self.n] };
            E::copy_beside(row(a), row(b), &mut right[..self.n]);
        }
        let (lanes, padded) = (self.starts.len(), RankKUpdate::<E>::padded_lanes(self.starts.len()));
        self.right[lanes * self.width..padded * self.width].fill(0.0);
    }
}

/// A stretch of output pixels: image, row and column of each, and their gradients in tiles.
struct Block {
    pixels: Vec<(usize, usize, usize)>,
    left: Vec<f32>,
}

impl Block {
    /// The lanes of a tile of gradients.
    fn lanes<E: Element>(&self) -> usize {
        self.pixels.len().div_ceil(E::PER_LANE)
    }
}
