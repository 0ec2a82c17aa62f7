//! A learner that is one of several processes, which share each batch.

use super::learner::Learner;
use super::others::Others;
use crate::collective::{Share, World};
use crate::data::{Batch, DataLoader};
use crate::error::Result;
use candle_core::Tensor;

impl Learner {
    /// Makes this learner one of several processes that train together: each loads and computes its rows of every
    /// batch, and all take the same steps. The batches are those of one process, gradients, losses and statistics of
    /// batch normalisation ([`BatchStatistics`]) are those of the whole batch, and so is what dropout drops; so `n`
    /// processes learn what one does, to rounding. With one number of processes a run repeats itself bit for bit.
    ///
    /// All processes run the same program with the same data and seed. Process 0 writes checkpoints and begins all
    /// others with its weights; a run may resume with another number of processes. A stop that one is asked for, all
    /// take, after a checkpoint. Validation is shared too: every process gets all predictions, and all metrics. Who
    /// adds callbacks that write files adds them in process 0; [`super::Mixup`] mixes within a process's rows.
    ///
    /// [`BatchStatistics`]: crate::collective::BatchStatistics
    ///
    /// # Examples
    /// ```no_run
    /// # use tallow::collective::{World, threads};
    /// # use tallow::train::Learner;
    /// # fn learner() -> Learner { unimplemented!() }
    /// # fn main() -> tallow::Result<()> {
    /// # let connect = || Ok(threads(1).swap_remove(0));
    /// let world = World::start(connect)?; // with MPI: World::start(Mpi::connect)
    /// let mut learner = learner().distributed(&world);
    /// learner.fit(3, 1e-3)?;
    /// world.finish(None)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn distributed(mut self, world: &World) -> Learner {
        self.others = (world.size() > 1).then(|| Others::new(world));
        self
    }

    /// The processes that this learner is one of, if they are several.
    pub(crate) fn world(&self) -> Option<&World> {
        self.others.as_ref().map(Others::world)
    }

    /// Whether this process writes files.
    pub(super) fn writes(&self) -> bool {
        self.world().is_none_or(|world| world.rank() == 0)
    }

    /// The loader of this process's rows.
    pub(super) fn shared(&self, loader: &DataLoader) -> DataLoader {
        let loader = loader.clone();
        self.world().map_or(loader.clone(), |world| loader.share(world.rank(), world.size()))
    }

    /// This process's share of a batch.
    pub(super) fn share(&self, loader: &DataLoader, number: usize) -> Option<Share> {
        self.world().map(|world| Share::new(world, loader.batch_len(number)))
    }

    /// Calls `each` with the predictions and the targets of all batches of a loader, those of other processes too.
    pub(super) fn each_prediction(
        &self,
        loader: &DataLoader,
        mut each: impl FnMut(Tensor, Tensor) -> Result<()>,
    ) -> Result<()> {
        for (number, batch) in self.shared(loader).epoch(0).enumerate() {
            let batch: Batch = batch?;
            let preds = self.predict_batch(&batch)?;
            match self.share(loader, number) {
                None => each(preds, batch.ys)?,
                Some(share) => {
                    let n = if share.counts { batch.len() } else { 0 };
                    each(share.world.gather_rows(&preds, n)?, share.world.gather_rows(&batch.ys, n)?)?;
                }
            }
        }
        Ok(())
    }
}
