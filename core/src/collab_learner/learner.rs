//! The learner for ratings.

use super::baseline::BiasModel;
use super::config::CollabConfig;
use super::network::{self, CollabNetwork};
use super::predictor::RatingPredictor;
use super::ranking::Ranking;
use super::recipe::{CollabRecipe, KIND, Seen};
use super::scorer::of_user;
use crate::data::{CollabDataLoaders, IdVocab, Rating, RatingsDataset, ShownTable};
use crate::error::{Error, Result};
use crate::nn::losses;
use crate::train::Learner;
use crate::train::export::{self, Exported};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use tallow_io::csv;

/// A [`Learner`] that knows what it learns from: users, items and ratings. fast.ai's `collab_learner` makes the same.
/// It dereferences to a plain learner, so it can do all that one can.
pub struct CollabLearner {
    learner: Learner,
    network: Arc<CollabNetwork>,
    dls: CollabDataLoaders,
    recipe: CollabRecipe,
    baseline: BiasModel,
    device: Device,
}

/// A learner for these ratings: the product of a user's and an item's factors with a bias of each, or layers on top of
/// them ([`CollabConfig::layers`]), pressed into the range of ratings by a sigmoid; mean squared error as the loss.
/// fast.ai's `collab_learner`.
///
/// ```no_run
/// use tallow::collab_learner::{CollabConfig, collab_learner, load_collab};
/// use tallow::data::RatingsBlock;
///
/// # fn main() -> tallow::Result<()> {
/// let dls = RatingsBlock::csv("ratings.csv").titles("movies.csv").y_range(0.5, 5.5).dataloaders(64)?;
/// let config = CollabConfig::default().listener(tallow::cli::console());
/// let mut learner = collab_learner(&dls, config)?;
/// learner.fit_one_cycle(5, 5e-3)?;
/// println!("biases alone: {:.4}", learner.baseline_mse()?);
/// learner.export("model")?;
/// for film in load_collab("model")?.top_n("7", 10)? {
///     println!("{film}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the range is not valid or a rating is outside of it, a setting contradicts another, or the device cannot hold
/// the tables.
pub fn collab_learner(dls: &CollabDataLoaders, config: CollabConfig) -> Result<CollabLearner> {
    let CollabConfig { n_factors, layers, y_range, begin_with_biases, common } = config;
    if n_factors == 0 {
        return Err(Error::config("n_factors", "a network needs at least 1 factor for each user and item"));
    }
    if layers.is_some() && begin_with_biases {
        let what = "a network of layers has no biases of users and items to begin with: leave one of the two out";
        return Err(Error::config("begin_with_biases", what));
    }
    let (device, seed) = common.device_and_seed(dls.seed());
    let y_range = y_range.or(dls.y_range());
    check_ratings(dls, y_range)?;
    let dls = dls.device(&device);
    let (users, items) = (IdVocab::clone(dls.users()), IdVocab::clone(dls.items()));
    let recipe = CollabRecipe { n_factors, layers, y_range, users, items };
    let params = network::params(seed, &device);
    let network = Arc::new(CollabNetwork::build(&recipe, &params)?);
    let baseline = BiasModel::fit(dls.train.dataset(), dls.seed())?;
    if begin_with_biases && let CollabNetwork::DotBias(network) = &*network {
        begin(network, &baseline, y_range)?;
    }
    let fingerprint = recipe.fingerprint(begin_with_biases.then_some(&baseline));
    let learner = Learner::new(dls.loaders(), network.clone(), &params, losses::mse);
    let learner = common.configure(learner, fingerprint);
    Ok(CollabLearner { learner, network, dls, recipe, baseline, device })
}

/// An error unless all ratings are in the range of predictions.
fn check_ratings(dls: &CollabDataLoaders, y_range: Option<(f64, f64)>) -> Result<()> {
    let Some((low, high)) = y_range else { return Ok(()) };
    crate::data::check_range(low, high)?;
    let all = || dls.train.dataset().ratings().iter().chain(dls.valid.dataset().ratings());
    match all().find(|rating| !(low..=high).contains(&f64::from(rating.rating))) {
        None => Ok(()),
        Some(Rating { user, item, rating }) => {
            let (user, item) = (dls.users().id(*user), dls.items().id(*item));
            let what = format!(
                "the rating {rating} of item {item} by user {user} is outside of {low} to {high}: choose a range that \
                 holds all ratings"
            );
            Err(Error::config("y_range", what))
        }
    }
}

/// Gives the network's biases the values with which it predicts, without its factors, what the model of biases does.
/// The sigmoid is taken for a line around the mean.
fn begin(network: &crate::models::EmbeddingDotBias, baseline: &BiasModel, y_range: Option<(f64, f64)>) -> Result<()> {
    let (middle, slope) = match y_range {
        None => (baseline.mean, 1.0),
        Some((low, high)) => {
            let share = ((baseline.mean - low) / (high - low)).clamp(1e-3, 1.0 - 1e-3);
            ((share / (1.0 - share)).ln(), (high - low) * share * (1.0 - share))
        }
    };
    let set = |table: &crate::nn::Embedding, biases: &[f64], middle: f64| -> Result<()> {
        let var = table.weight().var();
        let values: Vec<f32> = biases.iter().map(|bias| (middle + bias / slope) as f32).collect();
        Ok(var.set(&Tensor::from_vec(values, (biases.len(), 1), var.device())?.to_dtype(var.dtype())?)?)
    };
    set(network.users().1, &baseline.users, 0.0)?;
    set(network.items().1, &baseline.items, middle)
}

impl Deref for CollabLearner {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for CollabLearner {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}

impl CollabLearner {
    /// The loaders, which know users and items.
    pub fn collab_dls(&self) -> &CollabDataLoaders {
        &self.dls
    }

    /// The model of biases alone, of the same training ratings.
    pub fn baseline(&self) -> &BiasModel {
        &self.baseline
    }

    /// The mean squared error of the model of biases alone on the validation ratings: what the network has to better.
    ///
    /// # Errors
    /// When there are no ratings for validation.
    pub fn baseline_mse(&self) -> Result<f64> {
        self.baseline.mse(self.dls.valid.dataset().ratings())
    }

    /// The mean squared error of the mean of all training ratings on the validation ratings.
    ///
    /// # Errors
    /// When there are no ratings for validation.
    pub fn constant_mse(&self) -> Result<f64> {
        let actual: Vec<f64> = self.dls.valid.dataset().ratings().iter().map(|r| f64::from(r.rating)).collect();
        crate::metrics::mse(&vec![self.baseline.mean; actual.len()], &actual)
    }

    /// From which rating on an item is relevant, by default: four fifths of the largest rating, 4 of 5
    /// stars, as is usual (Liang et al., 2018).
    pub fn relevant_from(&self) -> f64 {
        let (low, high) = self.baseline.range;
        if high > 0.0 { 0.8 * high } else { low + 0.8 * (high - low) }
    }

    /// How good the network's lists of `k` recommendations are ([`Ranking`]).
    ///
    /// # Errors
    /// When no user has rated an item with `relevant_from` or more in validation.
    pub fn ranking(&self, k: usize, relevant_from: f64) -> Result<Ranking> {
        let n_items = self.dls.items().len();
        self.ranked(k, relevant_from, |user| of_user(&*self.network, user, n_items, &self.device))
    }

    /// The same of the model of biases alone, which recommends the best items to everybody.
    ///
    /// # Errors
    /// As [`CollabLearner::ranking`].
    pub fn baseline_ranking(&self, k: usize, relevant_from: f64) -> Result<Ranking> {
        let scores: Vec<f32> = self.baseline.items.iter().map(|&bias| bias as f32).collect();
        self.ranked(k, relevant_from, |_| Ok(scores.clone()))
    }

    /// The same of the items that most users have rated, whatever they thought of them: among lists that are hard to
    /// better.
    ///
    /// # Errors
    /// As [`CollabLearner::ranking`].
    pub fn popularity_ranking(&self, k: usize, relevant_from: f64) -> Result<Ranking> {
        let counts = self.seen(&[self.dls.train.dataset()]).counts(self.dls.items().len());
        let scores: Vec<f32> = counts.into_iter().map(|n| n as f32).collect();
        self.ranked(k, relevant_from, |_| Ok(scores.clone()))
    }

    fn ranked(&self, k: usize, from: f64, scores: impl FnMut(u32) -> Result<Vec<f32>>) -> Result<Ranking> {
        let seen = self.seen(&[self.dls.train.dataset()]);
        Ranking::of(&seen, self.dls.valid.dataset().ratings(), (k, from), scores)
    }

    fn seen(&self, sides: &[&RatingsDataset]) -> Seen {
        let pairs = sides.iter().flat_map(|side| side.ratings()).map(|rating| (rating.user, rating.item));
        Seen::new(self.dls.users().len(), pairs)
    }

    /// The first `n` validation ratings beside what is predicted. fast.ai's `show_results`.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn show_results(&self, n: usize) -> Result<ShownTable> {
        let ratings = self.dls.valid.dataset().ratings();
        let pairs: Vec<[u32; 2]> = ratings.iter().take(n).map(|r| [r.user, r.item]).collect();
        let predicted = super::scorer::ratings(&*self.network, &pairs, &self.device)?;
        let (users, items) = (self.dls.users(), self.dls.items());
        let row = |(r, predicted): (&Rating, f32)| {
            let (user, item) = (users.name(r.user).to_string(), items.name(r.item).to_string());
            vec![user, item, r.rating.to_string(), format!("{predicted:.2}")]
        };
        let columns = [users.column(), items.column(), "rating", "predicted"].map(String::from).to_vec();
        Ok(ShownTable { columns, rows: ratings.iter().zip(predicted).map(row).collect() })
    }

    /// All validation ratings beside what is predicted, as the text of a CSV file: the row in the table of ratings,
    /// user, item, name, rating, predicted.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predictions_csv(&self) -> Result<String> {
        let dataset = self.dls.valid.dataset();
        let pairs: Vec<[u32; 2]> = dataset.ratings().iter().map(|r| [r.user, r.item]).collect();
        let predicted = super::scorer::ratings(&*self.network, &pairs, &self.device)?;
        let (users, items) = (self.dls.users(), self.dls.items());
        let text = |text: &str| csv::text(text).into_owned();
        let rows = dataset.ratings().iter().zip(dataset.places()).zip(predicted).map(|((r, place), predicted)| {
            let (user, item, name) = (text(users.id(r.user)), text(items.id(r.item)), text(items.name(r.item)));
            vec![place.to_string(), user, item, name, r.rating.to_string(), format!("{predicted:.4}")]
        });
        let heads = ["row", users.column(), items.column(), "name", "rating", "predicted"].map(String::from);
        Ok(csv::to_string(std::iter::once(heads.to_vec()).chain(rows)))
    }

    /// A predictor for ids. It shares the network with this learner, now and later.
    pub fn predictor(&self) -> RatingPredictor {
        let seen = self.seen(&[self.dls.train.dataset(), self.dls.valid.dataset()]);
        RatingPredictor::new(self.network.clone(), self.recipe.clone(), Arc::new(seen), &self.device)
    }

    /// Writes the trained network, its users and items, and who has rated what, to a folder for [`super::load_collab`],
    /// with the validation loss of the epoch that its weights are of. fast.ai's `export`.
    ///
    /// # Errors
    /// When a weight is not a finite number, or a file cannot be written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let recorder = self.recorder();
        let mut metrics = BTreeMap::new();
        if let Some(row) = recorder.kept_row() {
            metrics.insert("valid_loss".to_string(), row.valid_loss);
            metrics.extend(recorder.metric_names.iter().cloned().zip(row.metrics.iter().copied()));
        }
        let mut weights = self.params().state_dict()?;
        weights.extend([self.seen(&[self.dls.train.dataset(), self.dls.valid.dataset()]).tensor()?]);
        let recipe = self.recipe.to_json(folder)?;
        let exported = Exported { kind: KIND.to_string(), recipe, vocab: Vec::new(), metrics, weights };
        export::export(folder, &exported)
    }
}
