//! Datasets: items by their index, and the batches that they become.

use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use candle_core::Tensor;

/// Items that can be fetched by their index: pairs of an input and a target.
pub trait Dataset: Send + Sync {
    /// The number of items.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One item: input and target, without a batch axis. `rng` is this item's own stream in this epoch, for
    /// augmentation.
    ///
    /// # Errors
    /// When the item cannot be read.
    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)>;

    /// What the items are, so that a checkpoint can tell whether training goes on with the same ones. The default knows
    /// nothing of them; a dataset of files names each one with what is in it, one in memory hashes its contents.
    ///
    /// # Errors
    /// When the items cannot be read.
    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint::default())
    }

    /// Several items, stacked. A dataset in memory can do better than one by one.
    ///
    /// # Errors
    /// When an item cannot be read, or shapes differ between items.
    fn batch(&self, indices: &[usize], rng: &Rng) -> Result<Batch> {
        let (mut xs, mut ys) = (Vec::with_capacity(indices.len()), Vec::with_capacity(indices.len()));
        for &index in indices {
            let (x, y) = self.item(index, &mut rng.substream(index as u64))?;
            xs.push(x);
            ys.push(y);
        }
        Ok(Batch::new(Tensor::stack(&xs, 0)?, Tensor::stack(&ys, 0)?))
    }
}

/// Inputs and targets of one step of training.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Inputs, `[N, ...]`.
    pub xs: Tensor,
    /// Further inputs, each `[N, ...]`, of a network that takes several: a table's numbers beside its categories. Empty
    /// for most. [`Dataset::batch`] of such a dataset makes them.
    pub more_xs: Vec<Tensor>,
    /// Targets, `[N, ...]`.
    pub ys: Tensor,
}

impl Batch {
    /// A batch with one input.
    pub fn new(xs: Tensor, ys: Tensor) -> Batch {
        Batch { xs, more_xs: Vec::new(), ys }
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.xs.dims().first().copied().unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
