//! Ratings in memory, and the batches that they become.

use super::ids::IdVocab;
use crate::data::{Batch, Dataset};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use candle_core::{Device, Tensor};
use std::sync::Arc;
use tallow_io::hash;

/// One rating: who gave what how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rating {
    /// The number of the user; 0 if it is unknown.
    pub user: u32,
    /// The number of the item; 0 if it is unknown.
    pub item: u32,
    /// The rating.
    pub rating: f32,
}

/// Ratings in memory. A batch is `[N, 2]` numbers of users and items (`u32`), and `[N]` ratings.
#[derive(Debug, Clone)]
pub struct RatingsDataset {
    users: Arc<IdVocab>,
    items: Arc<IdVocab>,
    ratings: Arc<Vec<Rating>>,
    /// The number of each rating's row in its table.
    places: Arc<Vec<usize>>,
}

impl RatingsDataset {
    pub(super) fn new(users: Arc<IdVocab>, items: Arc<IdVocab>, ratings: Vec<Rating>, places: Vec<usize>) -> Self {
        RatingsDataset { users, items, ratings: Arc::new(ratings), places: Arc::new(places) }
    }

    /// Who rates.
    pub fn users(&self) -> &Arc<IdVocab> {
        &self.users
    }

    /// What is rated.
    pub fn items(&self) -> &Arc<IdVocab> {
        &self.items
    }

    /// All ratings.
    pub fn ratings(&self) -> &[Rating] {
        &self.ratings
    }

    /// The number of each rating's row in its table, from 0.
    pub fn places(&self) -> &[usize] {
        &self.places
    }
}

impl Dataset for RatingsDataset {
    fn len(&self) -> usize {
        self.ratings.len()
    }

    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let batch = self.batch(&[index], rng)?;
        Ok((batch.xs.squeeze(0)?, batch.ys.squeeze(0)?))
    }

    fn batch(&self, indices: &[usize], _rng: &Rng) -> Result<Batch> {
        let (mut xs, mut ys) = (Vec::with_capacity(2 * indices.len()), Vec::with_capacity(indices.len()));
        for &index in indices {
            let Some(&Rating { user, item, rating }) = self.ratings.get(index) else {
                return Err(Error::Value(format!("there is no rating {index} among {}", self.len())));
            };
            xs.extend([user, item]);
            ys.push(rating);
        }
        let n = indices.len();
        Ok(Batch::new(Tensor::from_vec(xs, (n, 2), &Device::Cpu)?, Tensor::from_vec(ys, n, &Device::Cpu)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let bytes = |rating: &Rating| {
            [rating.user.to_le_bytes(), rating.item.to_le_bytes(), rating.rating.to_le_bytes()].concat()
        };
        let ratings: Vec<u8> = self.ratings.iter().flat_map(bytes).collect();
        let ids = |vocab: &IdVocab| hash::bytes(vocab.ids().join("\n").as_bytes()).sha256[..16].to_string();
        let ratings = &hash::bytes(&ratings).sha256[..16];
        Ok(Fingerprint::default()
            .with("users", format!("{}, sha256 {}", self.users.len() - 1, ids(&self.users)))
            .with("items", format!("{}, sha256 {}", self.items.len() - 1, ids(&self.items)))
            .with("ratings", format!("{}, sha256 {ratings}", self.len())))
    }
}
