//! The right-hand matrix of a product, packed for the tiles.

use super::{nr, padded};
use crate::shared::uninit;
use rayon::prelude::*;

/// A `depth` x `n` matrix in panels of columns; within a panel, rows follow each other. The last panel is as narrow as
/// whole registers allow, and filled up with zeros.
pub(crate) struct PackedB {
    data: Vec<f32>,
    pub(super) depth: usize,
    pub(super) n: usize,
    pub(super) width: usize,
}

impl PackedB {
    /// Packs a convolution's weight `[n, channels, taps]` (its output channels become columns) with rows in the order
    /// (tap, channel). A linear layer's weight `[n, k]` is the case of one tap.
    pub(crate) fn forward(weight: &[f32], n: usize, channels: usize, taps: usize) -> PackedB {
        /// Channels that are copied together: small enough for their rows to stay in the cache.
        const BLOCK: usize = 16;
        PackedB::pack(channels * taps, n, |panel, first, columns, width| {
            let weight = &weight[first * channels * taps..];
            for from in (0..channels).step_by(BLOCK) {
                for tap in 0..taps {
                    for c in from..(from + BLOCK).min(channels) {
                        let row = &mut panel[(tap * channels + c) * width..][..columns];
                        let column = weight[c * taps + tap..].iter().step_by(channels * taps);
                        row.iter_mut().zip(column).for_each(|(to, from)| *to = *from);
                    }
                }
            }
        })
    }

    /// Packs the same weight `[outputs, n, taps]` for the way back: its input channels become columns, rows are in the
    /// order (tap, output).
    pub(crate) fn backward(weight: &[f32], outputs: usize, n: usize, taps: usize) -> PackedB {
        PackedB::pack(outputs * taps, n, |panel, first, columns, width| {
            for output in 0..outputs {
                let row = &weight[(output * n + first) * taps..][..columns * taps];
                for tap in 0..taps {
                    let to = &mut panel[(tap * outputs + output) * width..][..columns];
                    to.iter_mut().zip(row[tap..].iter().step_by(taps)).for_each(|(to, from)| *to = *from);
                }
            }
        })
    }

    /// `fill(panel, first column, columns, width)` writes a panel's values.
    pub(crate) fn pack(depth: usize, n: usize, fill: impl Fn(&mut [f32], usize, usize, usize) + Sync) -> PackedB {
        let width = nr();
        let mut data = uninit(depth * (n / width * width + padded(n % width)));
        data.par_chunks_mut(depth * width).enumerate().for_each(|(index, panel)| {
            let columns = width.min(n - index * width);
            if columns < padded(columns) {
                panel.fill(0.0);
            }
            fill(panel, index * width, columns, padded(columns));
        });
        PackedB { data, depth, n, width }
    }

    /// How many panels there are.
    pub(super) fn count(&self) -> usize {
        self.n.div_ceil(self.width)
    }

    /// A panel's values, its columns, and the distance between its rows.
    pub(super) fn panel(&self, index: usize) -> (&[f32], usize, usize) {
        let columns = self.width.min(self.n - index * self.width);
        let start = index * self.depth * self.width;
        (&self.data[start..start + self.depth * padded(columns)], columns, padded(columns))
    }
}
