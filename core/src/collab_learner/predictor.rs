//! A trained network with its users and items: ids in, ratings out.

use super::network::{self, CollabNetwork};
use super::recipe::{CollabRecipe, Seen};
use super::scorer::{best, of_user, ratings};
use crate::data::{IdVocab, Table};
use crate::device;
use crate::error::{Error, Result};
use crate::train::export;
use candle_core::{Device, Tensor};
use std::path::Path;
use std::sync::Arc;
use tallow_io::csv;

/// The rating that a user is predicted to give an item.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingPrediction {
    /// The user's id, as it was asked for.
    pub user: String,
    /// The item's id, as it was asked for.
    pub item: String,
    /// The item's title, or else its id.
    pub name: String,
    /// The rating.
    pub rating: f64,
    /// Whether no training row has the user. The rating is then that of `#na#`, of whom nothing was learnt.
    pub unknown_user: bool,
    /// The same of the item.
    pub unknown_item: bool,
}

impl std::fmt::Display for RatingPrediction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:.2}", self.name, self.rating)?;
        match (self.unknown_user, self.unknown_item) {
            (false, false) => Ok(()),
            (true, false) => write!(f, " [the user {} is unknown]", self.user),
            (false, true) => write!(f, " [the item {} is unknown]", self.item),
            (true, true) => write!(f, " [the user {} and the item {} are unknown]", self.user, self.item),
        }
    }
}

/// An item in a list, with what it is in the list for: a rating, a bias, a similarity.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommended {
    /// Its number.
    pub code: u32,
    /// Its id.
    pub item: String,
    /// Its title, or else its id.
    pub name: String,
    /// The higher, the better.
    pub score: f64,
}

impl std::fmt::Display for Recommended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:.2}", self.name, self.score)
    }
}

/// A trained network with its users and items, and with what each user has rated.
pub struct RatingPredictor {
    network: Arc<CollabNetwork>,
    recipe: CollabRecipe,
    seen: Arc<Seen>,
    device: Device,
}

/// Reads a folder that [`super::CollabLearner::export`] wrote, and predicts on the best device that this build and this
/// machine have. fast.ai's `load_learner`.
///
/// # Errors
/// As [`load_collab_on`].
pub fn load_collab(folder: impl AsRef<Path>) -> Result<RatingPredictor> {
    load_collab_on(folder, &device::best())
}

/// [`load_collab`] on a certain device.
///
/// # Errors
/// Those of [`export::load`]; and [`Error::File`] when the folder holds another kind of learner, or its tensors do not
/// fit its network.
pub fn load_collab_on(folder: impl AsRef<Path>, device: &Device) -> Result<RatingPredictor> {
    let folder = folder.as_ref();
    let mut exported = export::load(folder)?;
    let recipe = CollabRecipe::from_exported(folder, &exported)?;
    let seen = Seen::take(&mut exported.weights, recipe.users.len(), folder)?;
    let params = network::params(0, device).expecting(&exported.weights);
    let network = export::fits(folder, CollabNetwork::build(&recipe, &params))?;
    params.load_state_dict(&exported.weights).map_err(|e| {
        let what = format!("its tensors do not fit its network: {e}; export the model again, or update this program");
        Error::file(folder, what)
    })?;
    Ok(RatingPredictor::new(Arc::new(network), recipe, Arc::new(seen), device))
}

impl RatingPredictor {
    pub(super) fn new(
        network: Arc<CollabNetwork>,
        recipe: CollabRecipe,
        seen: Arc<Seen>,
        device: &Device,
    ) -> RatingPredictor {
        RatingPredictor { network, recipe, seen, device: device.clone() }
    }

    pub(super) fn network(&self) -> &CollabNetwork {
        &self.network
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Who rates.
    pub fn users(&self) -> &IdVocab {
        &self.recipe.users
    }

    /// What is rated.
    pub fn items(&self) -> &IdVocab {
        &self.recipe.items
    }

    /// The rating that a user is predicted to give an item, by their ids.
    ///
    /// # Errors
    /// When a tensor operation fails; ids that are unknown are reported in the prediction.
    pub fn predict(&self, user: &str, item: &str) -> Result<RatingPrediction> {
        let mut one = self.predict_pairs(&[(user, item)])?;
        one.pop().ok_or_else(|| Error::Value("a pair has no prediction".into()))
    }

    /// [`RatingPredictor::predict`] for many pairs.
    ///
    /// # Errors
    /// As [`RatingPredictor::predict`].
    pub fn predict_pairs(&self, pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<Vec<RatingPrediction>> {
        let (users, items) = (self.users(), self.items());
        let codes: Vec<[u32; 2]> =
            pairs.iter().map(|(user, item)| [users.code(user.as_ref()), items.code(item.as_ref())]).collect();
        let ratings = ratings(&*self.network, &codes, &self.device)?;
        let mut predictions = Vec::with_capacity(pairs.len());
        for (((user, item), &[u, i]), rating) in pairs.iter().zip(&codes).zip(ratings) {
            let (user, item) = (user.as_ref().to_string(), item.as_ref().to_string());
            let name = if i == 0 { item.clone() } else { items.name(i).to_string() };
            let (unknown_user, unknown_item, rating) = (u == 0, i == 0, f64::from(rating));
            predictions.push(RatingPrediction { user, item, name, rating, unknown_user, unknown_item });
        }
        Ok(predictions)
    }

    /// The ratings of the pairs in a table, which has the columns of users and items that the model was trained with,
    /// as the text of a CSV file: user, item, name, rating, and what is unknown of the two.
    ///
    /// # Errors
    /// When a column is not there, or a user or an item is missing (line and column are named).
    pub fn predict_table(&self, table: &Table) -> Result<String> {
        let places = [table.place(self.users().column())?, table.place(self.items().column())?];
        let cell = |row: usize, place: usize| {
            let missing = || table.error(row, place, "the id is missing; expected a user and an item in each row");
            table.cell(row, place).ok_or_else(missing)
        };
        let pairs: Result<Vec<(&str, &str)>> =
            (0..table.n_rows()).map(|row| Ok((cell(row, places[0])?, cell(row, places[1])?))).collect();
        let text = |text: &str| csv::text(text).into_owned();
        let rows = self.predict_pairs(&pairs?)?.into_iter().map(|p| {
            let unknown = match (p.unknown_user, p.unknown_item) {
                (false, false) => "",
                (true, false) => "user",
                (false, true) => "item",
                (true, true) => "user and item",
            };
            vec![text(&p.user), text(&p.item), text(&p.name), format!("{:.4}", p.rating), unknown.to_string()]
        });
        let heads = [self.users().column(), self.items().column(), "name", "rating", "unknown"].map(String::from);
        Ok(csv::to_string(std::iter::once(heads.to_vec()).chain(rows)))
    }

    /// The `n` items that a user is predicted to like best, out of all that it has not rated, neither in training nor
    /// in validation.
    ///
    /// # Errors
    /// When the user is unknown: its list would be the same for all of whom nothing is known.
    pub fn top_n(&self, user: &str, n: usize) -> Result<Vec<Recommended>> {
        let user = self.users().known(user)?;
        let scores = of_user(&*self.network, user, self.items().len(), &self.device)?;
        Ok(self.recommended(best(&scores, self.seen.of(user), n)))
    }

    /// The items that a user has rated, by number and rising.
    pub fn rated_by(&self, user: u32) -> &[u32] {
        self.seen.of(user)
    }

    /// The items that most users have rated, `n` of them: score is the number of users.
    pub fn most_rated(&self, n: usize) -> Vec<Recommended> {
        let counts: Vec<f32> = self.seen.counts(self.items().len()).into_iter().map(|n| n as f32).collect();
        self.recommended(best(&counts, &[], n))
    }

    /// The `n` items with the largest bias, or with `lowest` the smallest: those that are liked more, or less, than
    /// what people's taste explains. Of the product of factors it is the bias that was learnt; of layers the mean
    /// prediction over the users that rated most. fast.ai's `learn.model.bias` of items.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn biased_items(&self, n: usize, lowest: bool) -> Result<Vec<Recommended>> {
        let mut biases = self.item_biases()?;
        if lowest {
            biases.iter_mut().for_each(|bias| *bias = -*bias);
        }
        let mut items = self.recommended(best(&biases, &[], n));
        if lowest {
            items.iter_mut().for_each(|item| item.score = -item.score);
        }
        Ok(items)
    }

    fn item_biases(&self) -> Result<Vec<f32>> {
        match &*self.network {
            CollabNetwork::DotBias(network) => values(&network.items().1.weight().var().as_detached_tensor()),
            CollabNetwork::Layers(_) => {
                const USERS: usize = 50;
                let mut users: Vec<u32> = (1..self.users().len() as u32).collect();
                users.sort_by_key(|&user| std::cmp::Reverse(self.seen.of(user).len()));
                users.truncate(USERS);
                let n = self.items().len();
                let mut means = vec![0.0; n];
                for &user in &users {
                    let scores = of_user(&*self.network, user, n, &self.device)?;
                    means.iter_mut().zip(scores).for_each(|(mean, score)| *mean += score / users.len() as f32);
                }
                Ok(means)
            }
        }
    }

    /// What the network knows of each item, by number: a row of factors, that of `#na#` first. Its width is the second
    /// value.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn item_factors(&self) -> Result<(Vec<f32>, usize)> {
        let weight = match &*self.network {
            CollabNetwork::DotBias(network) => network.items().0.weight(),
            CollabNetwork::Layers(network) => match network.tabular().embeddings() {
                [_, items] => items.weight(),
                other => {
                    return Err(Error::network(
                        "embeds",
                        format!("{} tables instead of those of users and items", other.len()),
                    ));
                }
            },
        };
        Ok((values(&weight.var().as_detached_tensor())?, weight.dims().get(1).copied().unwrap_or(0)))
    }

    /// The `n` items whose factors point most nearly where those of an item do, by the cosine between them. The
    /// lesson's `nn.CosineSimilarity`.
    ///
    /// # Errors
    /// When the item is unknown.
    pub fn nearest_items(&self, item: &str, n: usize) -> Result<Vec<Recommended>> {
        let code = self.items().known(item)?;
        let (factors, width) = self.item_factors()?;
        let rows: Vec<&[f32]> = factors.chunks_exact(width.max(1)).collect();
        let Some(&this) = rows.get(code as usize) else { return Ok(Vec::new()) };
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let length = |row: &[f32]| product(row, row).sqrt().max(f32::MIN_POSITIVE);
        let cosines: Vec<f32> = rows.iter().map(|&row| product(row, this) / (length(row) * length(this))).collect();
        Ok(self.recommended(best(&cosines, &[code], n)))
    }

    fn recommended(&self, items: Vec<(u32, f32)>) -> Vec<Recommended> {
        let vocab = self.items();
        let of = |(code, score): (u32, f32)| Recommended {
            code,
            item: vocab.id(code).to_string(),
            name: vocab.name(code).to_string(),
            score: f64::from(score),
        };
        items.into_iter().map(of).collect()
    }
}

fn values(table: &Tensor) -> Result<Vec<f32>> {
    Ok(table.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?)
}
