//! The rows of a batch that are one process's.

use super::World;
use std::cell::RefCell;
use std::ops::Range;

/// The part of a batch that this process computes. Layers whose result depends on the whole batch ask for it.
#[derive(Debug, Clone)]
pub struct Share {
    /// The processes that share the batch.
    pub world: World,
    /// The rows of this process. One that has none computes with the first row, which is another's, so that it takes
    /// part in all that is exchanged; its loss and its statistics count for nothing.
    pub rows: Range<usize>,
    /// The number of rows of the whole batch.
    pub of: usize,
    /// Whether the rows are this process's own.
    pub counts: bool,
}

impl Share {
    /// The share of this process in a batch of `of` rows.
    pub fn new(world: &World, of: usize) -> Share {
        let rows = rows_of(of, world.rank(), world.size());
        let counts = !rows.is_empty();
        Share { world: world.clone(), rows: if counts { rows } else { 0..1 }, of, counts }
    }

    /// Of `n` values of this process, where they begin among those of the whole batch, and how many these are.
    pub(crate) fn place(&self, n: usize) -> (usize, usize) {
        // A layer may see several rows for each item, such as the words of a text.
        let of_row = n / self.rows.len();
        (self.rows.start * of_row, self.of * of_row)
    }
}

/// The rows of a batch of `n` that process `rank` of `size` has: in the order of the ranks, and never more than one row
/// more than another. The first ones have the more, so that process 0 has a row of every batch.
pub(crate) fn rows_of(n: usize, rank: usize, size: usize) -> Range<usize> {
    (rank * n).div_ceil(size)..((rank + 1) * n).div_ceil(size)
}

thread_local! {
    static CURRENT: RefCell<Option<Share>> = const { RefCell::new(None) };
}

/// Runs a forward pass on a share of a batch.
pub(crate) fn with_share<T>(share: Option<Share>, f: impl FnOnce() -> T) -> T {
    struct Reset(Option<Share>);
    impl Drop for Reset {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _reset = Reset(CURRENT.replace(share));
    f()
}

/// The share of the forward pass that is running in this thread, if its batch is shared.
pub(crate) fn current_share() -> Option<Share> {
    CURRENT.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_one_process_s() {
        for size in 1..6 {
            for n in 1..20 {
                let rows: Vec<Range<usize>> = (0..size).map(|rank| rows_of(n, rank, size)).collect();
                assert!(rows.iter().cloned().flatten().eq(0..n), "{n} rows, {size} processes");
                assert!(!rows[0].is_empty());
                let sizes = || rows.iter().map(|rows| rows.len());
                assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1);
            }
        }
    }
}
