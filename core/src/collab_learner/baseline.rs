//! The model of biases alone: mean, user and item.

use crate::data::{Rating, RatingsDataset};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// A rating as the mean of all, how much a user is above it, and how much an item: what every model of ratings has to
/// better. Users and items with few ratings are shrunk towards the mean.
///
/// It is the exact minimum of `Σ (r - mean - u - i)² + shrink_users·Σ u² + shrink_items·Σ i²`, found by solving for the
/// users and for the items in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasModel {
    /// The mean of all ratings.
    pub mean: f64,
    /// How far each user is above it, by number; 0 for `#na#`.
    pub users: Vec<f64>,
    /// How far each item is above it, by number; 0 for `#na#`.
    pub items: Vec<f64>,
    /// How many ratings of the mean each user has besides its own.
    pub shrink_users: f64,
    /// How many ratings of the mean each item has besides its own.
    pub shrink_items: f64,
    /// The smallest and the largest rating, which no prediction leaves.
    pub range: (f64, f64),
}

/// What is tried for either shrinkage.
const SHRINKAGES: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 20.0];

/// A fifth of the training ratings chooses.
const HELD_OUT: usize = 5;

impl BiasModel {
    /// Fits the training ratings, with the shrinkage that predicts a random fifth of them best when the others are
    /// fitted. The validation ratings have no part in it.
    ///
    /// # Errors
    /// When there are no ratings.
    pub fn fit(train: &RatingsDataset, seed: u64) -> Result<BiasModel> {
        let order = Rng::new(seed).stream("shrinkage").permutation(train.ratings().len());
        let (held, rest) = order.split_at(train.ratings().len() / HELD_OUT);
        let of = |places: &[usize]| places.iter().map(|&i| train.ratings()[i]).collect::<Vec<Rating>>();
        let (held, rest) = (of(held), of(rest));
        let sizes = (train.users().len(), train.items().len());
        let mut best = (f64::INFINITY, SHRINKAGES[2], SHRINKAGES[2]);
        if !held.is_empty() {
            // First the users' with the items' in the middle, then the items': the two hardly depend on each other.
            for (for_users, tried) in [(true, SHRINKAGES), (false, SHRINKAGES)] {
                for shrinkage in tried {
                    let (users, items) = if for_users { (shrinkage, best.2) } else { (best.1, shrinkage) };
                    let mse = BiasModel::fit_with(&rest, sizes, users, items)?.mse(&held)?;
                    if mse < best.0 {
                        best = (mse, users, items);
                    }
                }
            }
        }
        BiasModel::fit_with(train.ratings(), sizes, best.1, best.2)
    }

    /// Fits ratings with this shrinkage, for so many users and items, `#na#` included.
    ///
    /// # Errors
    /// When there are no ratings, or a number is not that of a user or an item.
    pub fn fit_with(
        ratings: &[Rating],
        (n_users, n_items): (usize, usize),
        shrink_users: f64,
        shrink_items: f64,
    ) -> Result<BiasModel> {
        if ratings.is_empty() {
            return Err(Error::Value("there are no ratings to take the mean of".into()));
        }
        if let Some(bad) = ratings.iter().find(|r| r.user as usize >= n_users || r.item as usize >= n_items) {
            return Err(Error::Value(format!("{bad:?} is of none of {n_users} users and {n_items} items")));
        }
        let value = |r: &Rating| f64::from(r.rating);
        let mean = ratings.iter().map(value).sum::<f64>() / ratings.len() as f64;
        let range = ratings
            .iter()
            .map(value)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), r| (low.min(r), high.max(r)));
        let (users, items) = (vec![0.0; n_users], vec![0.0; n_items]);
        let mut model = BiasModel { mean, users, items, shrink_users, shrink_items, range };
        for _ in 0..200 {
            let users = model.solved(ratings, n_users, shrink_users, |r| r.user, |m, r| m.items[r.item as usize]);
            let moved = users.iter().zip(&model.users).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            model.users = users;
            model.items = model.solved(ratings, n_items, shrink_items, |r| r.item, |m, r| m.users[r.user as usize]);
            if moved < 1e-6 {
                break;
            }
        }
        Ok(model)
    }

    /// The biases of one side that fit best while those of the other stay.
    fn solved(
        &self,
        ratings: &[Rating],
        n: usize,
        shrinkage: f64,
        of: fn(&Rating) -> u32,
        other: fn(&BiasModel, &Rating) -> f64,
    ) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); n];
        // What is unknown has the bias 0.
        for rating in ratings.iter().filter(|rating| of(rating) != 0) {
            let (sum, count) = &mut sums[of(rating) as usize];
            *sum += f64::from(rating.rating) - self.mean - other(self, rating);
            *count += 1.0;
        }
        sums.iter().map(|(sum, count)| sum / (count + shrinkage).max(f64::MIN_POSITIVE)).collect()
    }

    /// The rating of an item by a user, by their numbers; what is unknown has no bias.
    pub fn predict(&self, user: u32, item: u32) -> f64 {
        let of = |biases: &[f64], code: u32| biases.get(code as usize).copied().unwrap_or(0.0);
        let (low, high) = self.range;
        (self.mean + of(&self.users, user) + of(&self.items, item)).clamp(low, high)
    }

    /// The mean squared error on these ratings.
    ///
    /// # Errors
    /// When there are none.
    pub fn mse(&self, ratings: &[Rating]) -> Result<f64> {
        let (predicted, actual): (Vec<f64>, Vec<f64>) =
            ratings.iter().map(|r| (self.predict(r.user, r.item), f64::from(r.rating))).unzip();
        crate::metrics::mse(&predicted, &actual)
    }
}
