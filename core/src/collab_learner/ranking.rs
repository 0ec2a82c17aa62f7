//! How good lists of recommendations are.

use super::recipe::Seen;
use super::scorer::best;
use crate::data::Rating;
use crate::error::{Error, Result};
use crate::metrics::{hit_at, ndcg_at};

/// How good the first `k` recommendations are, over the whole catalogue: for each user all items are ranked that it has
/// not rated in training, and the list is compared with what it rated highly in validation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// The length of a list.
    pub k: usize,
    /// From which rating on an item is relevant.
    pub relevant_from: f64,
    /// The users that have a relevant item in validation: the means are over them.
    pub n_users: usize,
    /// The mean normalised discounted cumulative gain of the lists ([`crate::metrics::ndcg_at`]).
    pub ndcg: f64,
    /// The share of users whose list has a relevant item.
    pub hit_rate: f64,
}

impl Ranking {
    /// Judges the lists that `scores` makes: a score for each item, by number, of one user. Items that no training row
    /// has cannot be recommended, but count among the relevant ones.
    ///
    /// Sampled catalogues, in which a relevant item competes with a hundred others, can rank models in the wrong order
    /// (Krichene and Rendle, 2020); here all items compete.
    ///
    /// # Errors
    /// When no user has a relevant item, or `scores` fails.
    pub(super) fn of(
        seen_in_training: &Seen,
        valid: &[Rating],
        (k, relevant_from): (usize, f64),
        mut scores: impl FnMut(u32) -> Result<Vec<f32>>,
    ) -> Result<Ranking> {
        let n_users = valid.iter().map(|rating| rating.user as usize + 1).max().unwrap_or(0);
        let mut relevant = vec![(Vec::new(), 0); n_users];
        let wanted = |rating: &&Rating| rating.user != 0 && f64::from(rating.rating) >= relevant_from;
        for rating in valid.iter().filter(wanted) {
            let (items, n) = &mut relevant[rating.user as usize];
            *n += 1;
            if rating.item != 0 {
                items.push(rating.item);
            }
        }
        let (mut ndcg, mut hits, mut users) = (0.0, 0.0, 0);
        for (user, (items, n)) in relevant.iter().enumerate().filter(|(_, (_, n))| *n > 0) {
            let user = user as u32;
            let list = best(&scores(user)?, seen_in_training.of(user), k);
            let found: Vec<bool> = list.iter().map(|(item, _)| items.contains(item)).collect();
            ndcg += ndcg_at(&found, *n, k)?;
            hits += hit_at(&found, *n, k)?;
            users += 1;
        }
        if users == 0 {
            let what = format!("no user has rated an item with {relevant_from} or more in validation: nothing to find");
            return Err(Error::Value(what));
        }
        let n = f64::from(users);
        Ok(Ranking { k, relevant_from, n_users: users as usize, ndcg: ndcg / n, hit_rate: hits / n })
    }
}
