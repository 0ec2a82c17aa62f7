//! Loaders of ratings that know who rated what.

use super::dataset::{Rating, RatingsDataset};
use super::ids::IdVocab;
use crate::data::{DataLoader, DataLoaders, Show, Shown, ShownTable};
use crate::error::Result;
use candle_core::Device;
use std::sync::Arc;

/// A [`DataLoader`] of ratings.
#[derive(Clone)]
pub struct RatingLoader {
    loader: DataLoader,
    dataset: RatingsDataset,
}

impl RatingLoader {
    pub(super) fn new(dataset: RatingsDataset, loader: DataLoader) -> RatingLoader {
        RatingLoader { loader, dataset }
    }

    /// The ratings behind the batches.
    pub fn dataset(&self) -> &RatingsDataset {
        &self.dataset
    }

    /// The plain loader, for what takes one.
    pub fn loader(&self) -> &DataLoader {
        &self.loader
    }

    /// The number of ratings.
    pub fn n_items(&self) -> usize {
        self.loader.n_items()
    }

    /// The first `n` ratings of the first epoch: the user, the item by its title if there is one, and the rating.
    pub fn decoded(&self, n: usize) -> ShownTable {
        let (users, items) = (self.dataset.users(), self.dataset.items());
        let rows = self.loader.order(0).into_iter().take(n).filter_map(|index| {
            let &Rating { user, item, rating } = self.dataset.ratings().get(index)?;
            Some(vec![users.name(user).to_string(), items.name(item).to_string(), rating.to_string()])
        });
        let columns = [users.column(), items.column(), "rating"].map(String::from).to_vec();
        ShownTable { columns, rows: rows.collect() }
    }
}

impl Show for RatingLoader {
    fn shown(&self, n: usize) -> Result<Shown> {
        Ok(Shown::Table(self.decoded(n)))
    }
}

/// The loaders of the ratings to train with and of those for validation. fast.ai's `CollabDataLoaders`; a
/// [`super::RatingsBlock`] makes them.
#[derive(Clone)]
pub struct CollabDataLoaders {
    /// Ratings to train with, shuffled.
    pub train: RatingLoader,
    /// Ratings for validation, in order.
    pub valid: RatingLoader,
    pub(super) seed: u64,
    pub(super) y_range: Option<(f64, f64)>,
}

impl CollabDataLoaders {
    /// Who rates.
    pub fn users(&self) -> &Arc<IdVocab> {
        self.train.dataset.users()
    }

    /// What is rated.
    pub fn items(&self) -> &Arc<IdVocab> {
        self.train.dataset.items()
    }

    /// The range of predictions ([`super::RatingsBlock::y_range`]).
    pub fn y_range(&self) -> Option<(f64, f64)> {
        self.y_range
    }

    /// The seed of the [`super::RatingsBlock`] that made them, from which a learner draws too.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Loaders whose batches are on this device.
    #[must_use]
    pub fn device(&self, device: &Device) -> CollabDataLoaders {
        let on = |side: &RatingLoader| RatingLoader::new(side.dataset.clone(), side.loader.clone().device(device));
        CollabDataLoaders { train: on(&self.train), valid: on(&self.valid), ..self.clone() }
    }

    /// The plain loaders, for a learner.
    pub fn loaders(&self) -> DataLoaders {
        DataLoaders { train: self.train.loader.clone(), valid: self.valid.loader.clone() }
    }
}
