//! Rows in memory, and the batches that they become.

use super::procs::{EncodedRows, TableProcs, gathered};
use super::target::{TableTarget, TargetValues};
use crate::data::{Batch, Dataset};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use candle_core::{Device, Tensor};
use std::sync::Arc;
use tallow_io::hash;

/// Rows of categories and numbers with their targets. Batches are gathered from two pieces of memory, row by row, into
/// the categories' numbers `xs`, `[N, n_categories]` of `u32`, and the numbers `more_xs[0]`, `[N, n_numbers]` of `f32`.
#[derive(Debug, Clone)]
pub struct TableDataset {
    procs: Arc<TableProcs>,
    target: Arc<TableTarget>,
    rows: Arc<EncodedRows>,
    targets: Arc<TargetValues>,
    /// The number of each row in the table.
    places: Arc<Vec<usize>>,
}

impl TableDataset {
    /// Rows that are encoded by `procs`, targets by `target`; `places` are the rows' numbers in their table.
    ///
    /// # Errors
    /// When there is not one target for each row.
    pub(super) fn new(
        procs: Arc<TableProcs>,
        target: Arc<TableTarget>,
        rows: EncodedRows,
        targets: TargetValues,
        places: Vec<usize>,
    ) -> Result<TableDataset> {
        let n_targets = match &targets {
            TargetValues::Classes(classes) => classes.len(),
            TargetValues::Numbers(values) => values.len() / target.n_outputs().max(1),
        };
        if n_targets != places.len() || rows.notes.len() != places.len() {
            let (rows, n) = (rows.notes.len(), places.len());
            let message = format!("{rows} rows, {n_targets} targets and {n} places: expected one for each");
            return Err(Error::shape(message, &[rows, n_targets, n]));
        }
        Ok(TableDataset { procs, target, rows: rows.into(), targets: targets.into(), places: places.into() })
    }

    /// How rows became numbers.
    pub fn procs(&self) -> &Arc<TableProcs> {
        &self.procs
    }

    /// What is predicted.
    pub fn target(&self) -> &Arc<TableTarget> {
        &self.target
    }

    /// The inputs of all rows.
    pub fn rows(&self) -> &EncodedRows {
        &self.rows
    }

    /// The inputs of these rows, by their number in the dataset.
    pub(crate) fn rows_at(&self, indices: &[usize]) -> EncodedRows {
        self.rows.select(indices, self.procs.categories().len(), self.procs.numbers().len())
    }

    /// The targets of all rows.
    pub fn targets(&self) -> &TargetValues {
        &self.targets
    }

    /// The number of each row in its table, from 0.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// Another dataset with these rows in the place of its own: what permutation importance looks at.
    ///
    /// # Errors
    /// When there is not one target for each row.
    pub fn with_rows(&self, rows: EncodedRows) -> Result<TableDataset> {
        let (procs, target) = (self.procs.clone(), self.target.clone());
        TableDataset::new(procs, target, rows, TargetValues::clone(&self.targets), self.places.to_vec())
    }

    /// Row number `index` as people read it: inputs, then targets.
    pub(super) fn decoded(&self, index: usize) -> Vec<String> {
        let (a, b) = (self.procs.categories().len(), self.procs.numbers().len());
        let categories = &self.rows.categories[index * a..(index + 1) * a];
        let numbers = &self.rows.numbers[index * b..(index + 1) * b];
        let mut cells = self.procs.decode(categories, numbers);
        cells.extend(self.targets.shown(index, &self.target));
        cells
    }
}

impl Dataset for TableDataset {
    fn len(&self) -> usize {
        self.places.len()
    }

    /// The categories alone; numbers are in batches.
    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let batch = self.batch(&[index], rng)?;
        Ok((batch.xs.squeeze(0)?, batch.ys.squeeze(0)?))
    }

    fn batch(&self, indices: &[usize], _rng: &Rng) -> Result<Batch> {
        if let Some(i) = indices.iter().find(|&&i| i >= self.len()) {
            return Err(Error::Value(format!("there is no row {i} among {}", self.len())));
        }
        let (n, a, b) = (indices.len(), self.procs.categories().len(), self.procs.numbers().len());
        let xs = Tensor::from_vec(gathered(&self.rows.categories, indices, a), (n, a), &Device::Cpu)?;
        let numbers = Tensor::from_vec(gathered(&self.rows.numbers, indices, b), (n, b), &Device::Cpu)?;
        let ys = self.targets.tensor(indices, self.target.n_outputs())?;
        Ok(Batch { xs, more_xs: vec![numbers], ys })
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let json = |value: serde_json::Result<String>| {
            value.map_err(|e| Error::Value(format!("the table's columns cannot be described in JSON: {e}")))
        };
        let mut bytes: Vec<u8> = self.rows.categories.iter().flat_map(|v| v.to_le_bytes()).collect();
        bytes.extend(self.rows.numbers.iter().flat_map(|v| v.to_le_bytes()));
        match &*self.targets {
            TargetValues::Classes(classes) => bytes.extend(classes.iter().flat_map(|v| v.to_le_bytes())),
            TargetValues::Numbers(values) => bytes.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        }
        Ok(Fingerprint::default()
            .with("columns", json(serde_json::to_string(&*self.procs))?)
            .with("target", json(serde_json::to_string(&*self.target))?)
            .with("rows", format!("{}, sha256 {}", self.len(), &hash::bytes(&bytes).sha256[..16])))
    }
}
