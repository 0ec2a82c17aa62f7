//! The right-hand matrix of a product, packed for the tiles.
#![allow(unsafe_code)]

use super::{Element, nr, padded};
use crate::blank::Blank;
use rayon::prelude::*;

/// A `depth` x `n` matrix in panels of columns; within a panel, rows follow each other. The last panel is as narrow as
/// whole registers allow, and filled up with zeros.
pub(crate) struct PackedB {
    data: Lines,
    pub(super) depth: usize,
    pub(super) n: usize,
    pub(super) width: usize,
}

impl PackedB {
    /// Packs a convolution's weight `[n, channels, taps]` (its output channels become columns) with rows in the order
    /// (tap, channel). A linear layer's weight `[n, k]` is the case of one tap.
    /// Rows are lanes of `E`: for pairs, each holds two channels, of which the last may be zeros.
    pub(crate) fn forward<E: Element>(weight: &[f32], n: usize, channels: usize, taps: usize) -> PackedB {
        /// Channels that are copied together: small enough for their rows to stay in the cache.
        const BLOCK: usize = 16;
        let rows = channels.div_ceil(E::PER_LANE);
        let write = |panel: &mut Blank<'_>, first: usize, columns: usize, width: usize| {
            let weight = &weight[first * channels * taps..];
            for from in (0..rows).step_by(BLOCK) {
                for tap in 0..taps {
                    for row in from..(from + BLOCK).min(rows) {
                        let values = (0..columns).map(|column| {
                            E::lane(|i| match row * E::PER_LANE + i {
                                c if c < channels => weight[(column * channels + c) * taps + tap],
                                _ => 0.0,
                            })
                        });
                        panel.part((tap * rows + row) * width, columns).write(values);
                    }
                }
            }
        };
        // SAFETY: every pair of a tap and a channel, and so every row, comes up.
        unsafe { PackedB::pack(rows * taps, n, write) }
    }

    /// Packs the same weight `[outputs, n, taps]` for the way back: its input channels become columns, rows are in the
    /// order (tap, output).
    pub(crate) fn backward<E: Element>(weight: &[f32], outputs: usize, n: usize, taps: usize) -> PackedB {
        let rows = outputs.div_ceil(E::PER_LANE);
        let write = |panel: &mut Blank<'_>, first: usize, columns: usize, width: usize| {
            for row in 0..rows {
                for tap in 0..taps {
                    let values = (0..columns).map(|column| {
                        E::lane(|i| match row * E::PER_LANE + i {
                            output if output < outputs => weight[(output * n + first + column) * taps + tap],
                            _ => 0.0,
                        })
                    });
                    panel.part((tap * rows + row) * width, columns).write(values);
                }
            }
        };
        // SAFETY: every pair of a tap and an output, and so every row, comes up.
        unsafe { PackedB::pack(rows * taps, n, write) }
    }

    /// Packs what `write(panel, first column, columns, width)` writes: into each row of a panel, `width` values long,
    /// its `columns` values.
    ///
    /// # Safety
    /// `write` must write the first `columns` values of each of the `depth` rows.
    pub(crate) unsafe fn pack(
        depth: usize,
        n: usize,
        write: impl Fn(&mut Blank<'_>, usize, usize, usize) + Sync,
    ) -> PackedB {
        let width = nr();
        let panels = (0..n.div_ceil(width)).into_par_iter();
        let len = depth * (n / width * width + padded(n % width));
        let data = Lines::fill(len, depth * width, panels, |index, mut panel| {
            let columns = width.min(n - index * width);
            if columns < padded(columns) {
                let all = panel.len();
                panel.part(0, all).fill(0.0);
            }
            write(&mut panel, index * width, columns, padded(columns));
            // SAFETY: rows are as long as their columns or have been filled up with zeros, and the caller promises
            // the rest.
            unsafe { panel.assume_filled() }
        });
        PackedB { data, depth, n, width }
    }

    /// How many panels there are.
    pub(crate) fn count(&self) -> usize {
        self.n.div_ceil(self.width)
    }

    /// The columns of a full panel.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// A panel's values, its columns, and the distance between its rows.
    pub(super) fn panel(&self, index: usize) -> (&[f32], usize, usize) {
        let columns = self.width.min(self.n - index * self.width);
        let start = index * self.depth * self.width;
        (&self.data.values()[start..start + self.depth * padded(columns)], columns, padded(columns))
    }
}

/// Values that begin where a line of the cache does, so that no load of a register touches two lines: measured,
/// products are 9 % faster for it.
struct Lines {
    memory: Vec<Line>,
    len: usize,
}

/// A line of the cache: 64 bytes on nearly all processors.
#[repr(C, align(64))]
struct Line {
    _values: [f32; 16],
}

impl Lines {
    /// As [`fill`](crate::blank::fill).
    fn fill<T: Send>(
        len: usize,
        block: usize,
        inputs: impl IndexedParallelIterator<Item = T>,
        write: impl Fn(T, Blank<'_>) -> &mut [f32] + Sync,
    ) -> Lines {
        let memory = Vec::<Line>::with_capacity(len.div_ceil(16));
        let mut lines = Lines { memory, len };
        // SAFETY: the capacity is there, and borrowed by nothing else.
        let blank = unsafe { Blank::from_raw_parts(lines.memory.as_mut_ptr().cast(), len) };
        blank.par_chunks(block, inputs, write);
        lines
    }

    fn values(&self) -> &[f32] {
        // SAFETY: `fill` has seen `len` values written from here on.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.len) }
    }
}
