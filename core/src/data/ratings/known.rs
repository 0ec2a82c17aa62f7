//! Ratings whose truth is known.

use crate::data::table::Table;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Ratings from 1 to 5 that are drawn from known factors and biases, so that one can see whether a learner finds them:
/// no ratings of people. A rating is `3 + u + i + f·g` and noise; `u` and `i` are the biases of user and item, `f` and
/// `g` their factors, all of them normal.
///
/// ```
/// use tallow::data::{KnownRatings, RatingsBlock};
///
/// let known = KnownRatings::default().draw()?;
/// let dls = RatingsBlock::table(known.table.clone()).y_range(0.8, 5.2).dataloaders(64)?;
/// assert_eq!((dls.users().len(), known.item_factors.len()), (1 + 300, 150));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KnownRatings {
    /// The number of users.
    pub n_users: usize,
    /// The number of items.
    pub n_items: usize,
    /// The number of factors of each.
    pub n_factors: usize,
    /// The share of all pairs that is rated.
    pub share: f64,
    /// The standard deviation of the noise, whose square is the smallest mean squared error that anybody can reach.
    pub noise: f64,
    /// Another seed gives other ratings.
    pub seed: u64,
}

impl Default for KnownRatings {
    fn default() -> KnownRatings {
        KnownRatings { n_users: 300, n_items: 150, n_factors: 2, share: 0.3, noise: 0.2, seed: 42 }
    }
}

/// What [`KnownRatings::draw`] drew.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnRatings {
    /// A row for each rating: `user`, `item`, `rating`. Ids are numbers from 1.
    pub table: Table,
    /// The factors of each user, in the order of the ids.
    pub user_factors: Vec<Vec<f64>>,
    /// The factors of each item, in the order of the ids.
    pub item_factors: Vec<Vec<f64>>,
    /// The bias of each item, in the order of the ids.
    pub item_biases: Vec<f64>,
}

impl KnownRatings {
    /// Draws factors and ratings.
    ///
    /// # Errors
    /// When there are no users or items, or the share or the noise is no such number.
    pub fn draw(&self) -> Result<DrawnRatings> {
        let &KnownRatings { n_users, n_items, n_factors, share, noise, seed } = self;
        if n_users == 0 || n_items == 0 || !(share > 0.0 && share <= 1.0) || !(noise >= 0.0 && noise.is_finite()) {
            let what =
                "expected users and items, a share of their pairs above 0 and up to 1, and a noise of 0 or above";
            return Err(Error::Value(format!("{self:?}: {what}")));
        }
        let root = Rng::new(seed).stream("known ratings");
        // So that the products of factors have the standard deviation 0.7, however many there are.
        let scale = (0.7 / (n_factors.max(1) as f64).sqrt()).sqrt();
        let factors = |name: &str, n: usize| -> Vec<Vec<f64>> {
            let mut rng = root.stream(name);
            (0..n).map(|_| (0..n_factors).map(|_| scale * rng.normal()).collect()).collect()
        };
        let biases = |name: &str, n: usize| -> Vec<f64> {
            let mut rng = root.stream(name);
            (0..n).map(|_| 0.3 * rng.normal()).collect()
        };
        let (user_factors, item_factors) = (factors("users", n_users), factors("items", n_items));
        let (user_biases, item_biases) = (biases("users' biases", n_users), biases("items' biases", n_items));
        let mut rng = root.stream("pairs");
        let mut rows = Vec::new();
        for (user, (f, u)) in user_factors.iter().zip(&user_biases).enumerate() {
            for (item, (g, i)) in item_factors.iter().zip(&item_biases).enumerate() {
                let (is_rated, error) = (rng.uniform(0.0, 1.0) < share, noise * rng.normal());
                if is_rated {
                    let product: f64 = f.iter().zip(g).map(|(f, g)| f * g).sum();
                    let rating = (3.0 + u + i + product + error).clamp(1.0, 5.0);
                    rows.push([(user + 1).to_string(), (item + 1).to_string(), format!("{rating:.2}")]);
                }
            }
        }
        let table = Table::from_rows(&["user", "item", "rating"], rows)?;
        Ok(DrawnRatings { table, user_factors, item_factors, item_biases })
    }
}
