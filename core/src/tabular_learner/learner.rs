//! The learner for tables.

use super::config::TabularConfig;
use super::network::{TableNetwork, params};
use super::predictor::TabularPredictor;
use super::recipe::{KIND, TableRecipe};
use crate::data::{ShownTable, TableLoader, TabularDataLoaders};
use crate::error::{Error, Result};
use crate::models::TabularModel;
use crate::train::Learner;
use crate::train::export::{self, Exported};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::Path;

/// A [`Learner`] that knows what it learns from: the rows of a table. fast.ai's `TabularLearner`. All that a learner
/// can do (`fit_one_cycle`, `lr_find`, `validate`, ...) it can do.
pub struct TabularLearner {
    learner: Learner,
    network: TableNetwork,
    dls: TabularDataLoaders,
    recipe: TableRecipe,
    device: Device,
}

/// A learner for these rows: embedded categories and numbers through hidden layers, cross entropy where the target is a
/// class, else the squared error ([`TabularConfig::plain_targets`] says in which units). fast.ai's `tabular_learner`.
///
/// ```no_run
/// use tallow::data::{TableBlock, TableRow};
/// use tallow::tabular_learner::{TabularConfig, load_tabular, tabular_learner};
/// use tallow::train::accuracy;
///
/// # fn main() -> tallow::Result<()> {
/// let dls = TableBlock::csv("adult.csv").target("salary").dataloaders(64)?;
/// let config = TabularConfig::default().metrics([accuracy()]).listener(tallow::cli::console());
/// let mut learner = tabular_learner(&dls, config)?;
/// learner.fit_one_cycle(2, 1e-3)?;
/// learner.export("model")?;
/// let row = TableRow::new().with("age", 39).with("workclass", "State-gov");
/// println!("{}", load_tabular("model")?.predict(&row)?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the settings contradict each other, or the device cannot hold the network.
pub fn tabular_learner(dls: &TabularDataLoaders, config: TabularConfig) -> Result<TabularLearner> {
    let TabularConfig { model, plain_targets, common } = config;
    let (device, seed) = common.device_and_seed(dls.seed());
    let dls = dls.device(&device);
    let is_class = !dls.target().classes().is_empty();
    if is_class && model.y_range.is_some() {
        let message = "a range is for predicted numbers, and the target is a class";
        return Err(Error::config("y_range", message));
    }
    let recipe = TableRecipe {
        columns: dls.procs().as_ref().clone(),
        target: dls.target().as_ref().clone(),
        in_deviations: !is_class && !plain_targets && model.y_range.is_none(),
        network: model,
    };
    let params = params(seed, &device);
    let network = TableNetwork::new(&recipe, &params)?;
    let learner = Learner::new(dls.loaders(), network.clone(), &params, network.loss(&recipe.target));
    let learner = common.configure(learner, recipe.fingerprint()?);
    Ok(TabularLearner { learner, network, dls, recipe, device })
}

impl Deref for TabularLearner {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for TabularLearner {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}

/// What a network has learnt of the classes of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryVectors {
    /// The column.
    pub column: String,
    /// The classes; the first is [`NA`](crate::data::NA).
    pub classes: Vec<String>,
    /// A vector for each.
    pub vectors: Vec<Vec<f32>>,
}

impl TabularLearner {
    /// The loaders.
    pub fn table_dls(&self) -> &TabularDataLoaders {
        &self.dls
    }

    /// The network.
    pub fn network(&self) -> &TabularModel {
        self.network.model()
    }

    /// Predictions and targets of all rows of a loader, in the table's order.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn preds_of(&self, loader: &TableLoader) -> Result<(Tensor, Tensor)> {
        self.learner.get_preds(&loader.loader().clone().in_order().device(&self.device))
    }

    /// A predictor for rows and files. It shares the network with this learner, now and later.
    pub fn predictor(&self) -> TabularPredictor {
        TabularPredictor::new(self.network.clone(), self.recipe.clone(), &self.device)
    }

    /// The first `n` validation rows with what is predicted of them in a last column. fast.ai's `show_results`.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn show_results(&self, n: usize) -> Result<ShownTable> {
        let mut shown = self.dls.valid.decoded(n);
        let places: Vec<usize> = (0..shown.rows.len()).collect();
        let rows = self.dls.valid.dataset().rows_at(&places);
        let predictions = self.predictor().predict_encoded(rows)?;
        shown.columns.push("predicted".into());
        for (row, prediction) in shown.rows.iter_mut().zip(predictions) {
            row.push(prediction.outcome.to_string());
        }
        Ok(shown)
    }

    /// The vectors that the classes of a column have become.
    ///
    /// # Errors
    /// When there is no such column of categories.
    pub fn vectors(&self, column: &str) -> Result<CategoryVectors> {
        let columns = self.recipe.columns.categories();
        let found = columns.iter().zip(self.network.model().embeddings()).find(|(known, _)| known.name == column);
        let (known, embedding) = found.ok_or_else(|| {
            let all: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            Error::Value(format!("there is no column of categories `{column}`; there are {}", all.join(", ")))
        })?;
        let vectors = embedding.weight().tensor().detach().to_dtype(DType::F32)?.to_vec2::<f32>()?;
        Ok(CategoryVectors { column: column.into(), classes: known.classes.clone(), vectors })
    }

    /// Writes the trained network with its columns to a folder for [`super::load_tabular`], with the losses and metrics
    /// of the epoch that its weights are of. fast.ai's `export`; there is no code in it.
    ///
    /// # Errors
    /// When a weight is not a finite number, or a file cannot be written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let exported = Exported {
            kind: KIND.to_string(),
            recipe: self.recipe.to_json(folder)?,
            vocab: self.recipe.target.classes().to_vec(),
            metrics: self.kept_metrics(),
            weights: self.learner.params().state_dict()?,
        };
        export::export(folder, &exported)
    }

    fn kept_metrics(&self) -> BTreeMap<String, f64> {
        let recorder = self.learner.recorder();
        let Some(row) = recorder.kept_row() else { return BTreeMap::new() };
        let metrics = recorder.metric_names.iter().cloned().zip(row.metrics.iter().copied());
        [("valid_loss".to_string(), row.valid_loss)].into_iter().chain(metrics).collect()
    }
}
