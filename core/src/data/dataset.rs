//! Datasets and batches.

use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use candle_core::Tensor;

/// A collection of items, pairs of an input and a target, by index. PyTorch's map-style `Dataset`.
pub trait Dataset: Send + Sync {
    /// The number of items.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One item: input and target, without a batch axis. `rng` is the item's own random stream in this epoch, for data
    /// augmentation.
    ///
    /// # Errors
    /// When the item cannot be read.
    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)>;

    /// The fingerprint of the items, so that a run resumes only with the same ones. The default is empty; datasets of
    /// files list names and hashes, datasets in memory hash their contents.
    ///
    /// # Errors
    /// When the items cannot be read.
    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Fingerprint::default())
    }

    /// Several items, stacked into a batch. A dataset in memory may override it with something faster.
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
