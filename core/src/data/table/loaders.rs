//! Loaders of rows that remember what became of the table's columns.

use super::dataset::TableDataset;
use super::procs::TableProcs;
use super::table::Table;
use super::target::TableTarget;
use crate::data::{DataLoader, DataLoaders, Show, Shown, ShownTable};
use crate::error::Result;
use candle_core::Device;
use std::sync::Arc;

/// A [`DataLoader`] of a table's rows. fast.ai's `TabDataLoader`.
#[derive(Clone)]
pub struct TableLoader {
    loader: DataLoader,
    dataset: TableDataset,
}

impl TableLoader {
    pub(super) fn new(dataset: TableDataset, loader: DataLoader) -> TableLoader {
        TableLoader { loader, dataset }
    }

    /// The rows behind the batches.
    pub fn dataset(&self) -> &TableDataset {
        &self.dataset
    }

    /// The plain loader, for what takes one.
    pub fn loader(&self) -> &DataLoader {
        &self.loader
    }

    /// The number of rows.
    pub fn n_items(&self) -> usize {
        self.loader.n_items()
    }

    /// The first `n` rows of the first epoch as they were read: classes by their names, numbers as they were before
    /// they were normalised, blanks filled.
    pub fn decoded(&self, n: usize) -> ShownTable {
        let rows = self.loader.order(0).into_iter().take(n).map(|index| self.dataset.decoded(index)).collect();
        let mut columns = self.dataset.procs().names();
        columns.extend(self.dataset.target().columns());
        ShownTable { columns, rows }
    }

    fn device(&self, device: &Device) -> TableLoader {
        TableLoader { loader: self.loader.clone().device(device), dataset: self.dataset.clone() }
    }
}

impl Show for TableLoader {
    fn shown(&self, n: usize) -> Result<Shown> {
        Ok(Shown::Table(self.decoded(n)))
    }
}

/// The loaders of a table's training and validation rows. fast.ai's `TabularDataLoaders`; a [`super::TableBlock`] makes
/// them.
#[derive(Clone)]
pub struct TabularDataLoaders {
    /// Training rows: shuffled, without a smaller last batch.
    pub train: TableLoader,
    /// Validation rows, in order.
    pub valid: TableLoader,
    /// The test set, where a column names one. Nothing looks at it while a network trains.
    pub test: Option<TableLoader>,
    pub(super) seed: u64,
}

impl TabularDataLoaders {
    /// How rows become numbers.
    pub fn procs(&self) -> &Arc<TableProcs> {
        self.train.dataset.procs()
    }

    /// What is predicted.
    pub fn target(&self) -> &Arc<TableTarget> {
        self.train.dataset.target()
    }

    /// The seed of the [`super::TableBlock`] that made them, from which a learner draws too.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Loaders whose batches are on this device.
    #[must_use]
    pub fn device(&self, device: &Device) -> TabularDataLoaders {
        TabularDataLoaders {
            train: self.train.device(device),
            valid: self.valid.device(device),
            test: self.test.as_ref().map(|test| test.device(device)),
            seed: self.seed,
        }
    }

    /// A loader of another table's rows, in order. Every row must have its target. fast.ai's `test_dl`.
    ///
    /// # Errors
    /// When a column is not there, or a cell is not what it was in training.
    pub fn test_dl(&self, table: &Table, batch_size: usize) -> Result<TableLoader> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let (procs, target) = (self.procs().clone(), self.target().clone());
        let targets = target.encode(table, &rows)?;
        let dataset = TableDataset::new(procs.clone(), target, procs.encode(table)?, targets, rows)?;
        Ok(TableLoader::new(dataset.clone(), DataLoader::new(dataset, batch_size)?))
    }

    /// The plain loaders, for a learner.
    pub fn loaders(&self) -> DataLoaders {
        DataLoaders { train: self.train.loader.clone(), valid: self.valid.loader.clone() }
    }
}

impl From<&TabularDataLoaders> for DataLoaders {
    fn from(dls: &TabularDataLoaders) -> DataLoaders {
        dls.loaders()
    }
}
