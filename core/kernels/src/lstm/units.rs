//! Which columns belong to which unit.

use std::ops::Range;

/// Units side by side in the order of the gates.
pub(super) const BLOCK: usize = 16;

/// Columns of a block: four gates.
pub(super) const COLUMNS: usize = 4 * BLOCK;

/// Rows of a task, at most, where there are few units: whole tiles.
const ROWS: usize = 24;

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

/// A task's part of a time step.
pub(super) struct Part {
    pub(super) rows: Range<usize>,
    pub(super) blocks: Range<usize>,
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

    /// A time step cut into tasks of `blocks` blocks: by blocks, and where that makes few tasks by rows too.
    pub(super) fn parts(&self, blocks: usize) -> Vec<Part> {
        let all = self.hidden.div_ceil(BLOCK);
        let rows = if all.div_ceil(blocks) < 16 { ROWS } else { self.batch };
        let ranges =
            |all: usize, each: usize| (0..all.div_ceil(each)).map(move |i| i * each..((i + 1) * each).min(all));
        let parts = ranges(all, blocks)
            .flat_map(|blocks| ranges(self.batch, rows).map(move |rows| Part { rows, blocks: blocks.clone() }));
        parts.collect()
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
    fn parts_are_all_there_is() {
        for (batch, hidden) in [(1, 1), (70, 33), (3, 400), (64, 1152)] {
            for blocks in [1, 4] {
                let parts = Units::new(batch, 1, 1, hidden).parts(blocks);
                let pairs = parts.iter().map(|part| part.rows.len() * part.blocks.len()).sum::<usize>();
                assert_eq!(pairs, batch * hidden.div_ceil(super::BLOCK));
            }
        }
    }
}
