//! Which columns belong to which unit.

use crate::blank::Blank;
use std::ops::Range;

/// Units side by side in the order of the gates.
pub(super) const BLOCK: usize = 16;

/// Columns of a block: four gates.
pub(super) const COLUMNS: usize = 4 * BLOCK;

/// Values of the weights from state to gates that stay in a thread's second cache from step to step: 2 MB.
const CACHED: usize = 1 << 19;

/// The sizes of a layer, and the order in which its gates lie. PyTorch has all units' input gates, then all forget
/// gates, and so on. Here the four gates of sixteen units lie together, so that who has multiplied some columns can go
/// on to those units' states. The last block is filled up with units whose weights are 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    pub(super) batch: usize,
    pub(super) steps: usize,
    /// Length of an input.
    pub(super) features: usize,
    /// Units.
    pub(super) hidden: usize,
}

/// How the work is divided. Each range of rows goes through all steps by itself; in a step, ranges of blocks are
/// computed side by side, and wait for each other at its end.
pub(super) struct Shares {
    pub(super) rows: Vec<Range<usize>>,
    pub(super) blocks: Vec<Range<usize>>,
}

impl Units {
    pub(super) fn new(batch: usize, steps: usize, features: usize, hidden: usize) -> Units {
        Units { batch, steps, features, hidden }
    }

    /// Columns of all gates.
    pub(super) fn columns(&self) -> usize {
        self.hidden.div_ceil(BLOCK) * COLUMNS
    }

    /// Values of a state of the whole batch.
    pub(super) fn state(&self) -> usize {
        self.batch * self.hidden
    }

    /// The units of a block.
    pub(super) fn of(&self, block: usize) -> Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.hidden)
    }

    /// Divides a layer's work. Where the weights stay in a thread's cache, each thread has rows of its own and waits
    /// for no other; larger weights are read once for all rows, `each` blocks at a time.
    pub(super) fn shares(&self, each: usize) -> Shares {
        let all = self.hidden.div_ceil(BLOCK);
        let ranges = |all: usize, each: usize| {
            let ranges = (0..all.div_ceil(each)).map(|i| i * each..((i + 1) * each).min(all));
            ranges.collect::<Vec<_>>()
        };
        if self.columns() * self.hidden <= CACHED {
            let rows = self.batch.div_ceil(rayon::current_num_threads());
            return Shares { rows: ranges(self.batch, rows), blocks: ranges(all, all) };
        }
        Shares { rows: ranges(self.batch, self.batch), blocks: ranges(all, each) }
    }

    /// PyTorch's rows `[4·H, width]` in our order, with zeros for the units that fill up.
    pub(super) fn ordered(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let mut ordered = vec![0.0; self.columns() * width];
        for (row, from) in rows.chunks_exact(width).enumerate() {
            ordered[self.column(row) * width..][..width].copy_from_slice(from);
        }
        ordered
    }

    /// Back to PyTorch's order.
    pub(super) fn unordered(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let mut unordered = Vec::with_capacity(4 * self.hidden * width);
        for row in 0..4 * self.hidden {
            unordered.extend_from_slice(&rows[self.column(row) * width..][..width]);
        }
        unordered
    }

    /// Our column of PyTorch's row.
    fn column(&self, row: usize) -> usize {
        let (gate, unit) = (row / self.hidden, row % self.hidden);
        unit / BLOCK * COLUMNS + gate * BLOCK + unit % BLOCK
    }
}

/// The values of a block's units, with zeros for those that fill up.
#[inline(always)]
pub(super) fn padded(values: &[f32]) -> [f32; BLOCK] {
    // A copy of a length that the compiler knows is one instruction.
    values.try_into().unwrap_or_else(|_| {
        let mut all = [0.0; BLOCK];
        all[..values.len()].copy_from_slice(values);
        all
    })
}

/// Writes the values of a block's units, but not of those that fill up.
#[inline(always)]
pub(super) fn unpadded(values: &[f32; BLOCK], to: Blank<'_>) {
    match to.len() {
        BLOCK => to.copy(values),
        len => to.copy(&values[..len]),
    };
}

#[cfg(test)]
mod tests {
    use super::Units;

    #[test]
    fn there_and_back() {
        for hidden in [1, 15, 16, 17, 50] {
            let units = Units::new(70, 1, 1, hidden);
            let rows: Vec<f32> = (0..4 * hidden * 3).map(|i| i as f32).collect();
            let ordered = units.ordered(&rows, 3);
            assert_eq!(ordered.len(), units.columns() * 3);
            assert_eq!(units.unordered(&ordered, 3), rows);
        }
    }

    #[test]
    fn shares_are_all_there_is() {
        for (batch, hidden) in [(1, 1), (70, 33), (3, 400), (64, 1152)] {
            for each in [1, 4] {
                let shares = Units::new(batch, 1, 1, hidden).shares(each);
                let rows: Vec<usize> = shares.rows.into_iter().flatten().collect();
                let blocks: Vec<usize> = shares.blocks.into_iter().flatten().collect();
                assert_eq!(rows, (0..batch).collect::<Vec<_>>());
                assert_eq!(blocks, (0..hidden.div_ceil(super::BLOCK)).collect::<Vec<_>>());
            }
        }
    }
}
