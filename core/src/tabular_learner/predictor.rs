//! A trained network with its columns: rows in, classes or numbers out.

use super::network::{TableNetwork, params};
use super::recipe::TableRecipe;
use crate::data::{EncodedRows, NumberTarget, Table, TableProcs, TableRow, TableTarget};
use crate::device;
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::kernels;
use crate::train::{Model, export};
use candle_core::{D, DType, Device, Tensor};
use std::path::Path;
use tallow_io::csv;

/// What is predicted of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePrediction {
    /// The class, or the numbers.
    pub outcome: Outcome,
    /// What a user should know of the row: categories that training did not have, and what stood for what was missing.
    pub notes: Vec<String>,
}

/// A class, or numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One class of several.
    Class {
        /// The class.
        class: String,
        /// Its place among the classes.
        index: usize,
        /// Its probability.
        probability: f64,
        /// Those of all classes, in their order.
        probabilities: Vec<f64>,
    },
    /// The target columns with what is predicted.
    Numbers(Vec<(String, f64)>),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outcome::Class { class, probability, .. } => write!(f, "{class} {probability:.4}"),
            Outcome::Numbers(numbers) => {
                let number = |(column, value): &(String, f64)| format!("{column} {value:.6}");
                f.write_str(&numbers.iter().map(number).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl std::fmt::Display for TablePrediction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.outcome.fmt(f)?;
        if self.notes.is_empty() { Ok(()) } else { write!(f, " [{}]", self.notes.join("; ")) }
    }
}

/// A trained network with its columns and its target.
#[derive(Clone)]
pub struct TabularPredictor {
    network: TableNetwork,
    recipe: TableRecipe,
    device: Device,
    listener: Listener,
}

/// Reads a folder that [`super::TabularLearner::export`] wrote, and predicts on the best device that this build and
/// this machine have. fast.ai's `load_learner`.
///
/// # Errors
/// As [`load_tabular_on`].
pub fn load_tabular(folder: impl AsRef<Path>) -> Result<TabularPredictor> {
    load_tabular_on(folder, &device::best())
}

/// [`load_tabular`] on a certain device.
///
/// # Errors
/// Those of [`export::load`]; and [`Error::File`] when the folder holds another kind of learner, or a recipe that this
/// version does not know, or its tensors do not fit it.
pub fn load_tabular_on(folder: impl AsRef<Path>, device: &Device) -> Result<TabularPredictor> {
    let folder = folder.as_ref();
    let exported = export::load(folder)?;
    let recipe = TableRecipe::from_exported(folder, &exported)?;
    let params = params(0, device).expecting(&exported.weights);
    let network = export::fits(folder, TableNetwork::new(&recipe, &params))?;
    params.load_state_dict(&exported.weights).map_err(|e| {
        let what = format!("its tensors do not fit its columns: {e}; export the model again, or update this program");
        Error::file(folder, what)
    })?;
    Ok(TabularPredictor::new(network, recipe, device))
}

/// Rows that are predicted together.
const BATCH: usize = 1024;

impl TabularPredictor {
    pub(super) fn new(network: TableNetwork, recipe: TableRecipe, device: &Device) -> TabularPredictor {
        TabularPredictor { network, recipe, device: device.clone(), listener: Listener::default() }
    }

    /// Sets the receiver of progress, and of the request to stop.
    #[must_use]
    pub fn listener(self, listener: Listener) -> TabularPredictor {
        TabularPredictor { listener, ..self }
    }

    pub(super) fn network(&self) -> &TableNetwork {
        &self.network
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// How rows become numbers.
    pub fn encoding(&self) -> &TableProcs {
        &self.recipe.columns
    }

    /// What is predicted.
    pub fn target(&self) -> &TableTarget {
        &self.recipe.target
    }

    /// The columns that a row needs.
    pub fn columns(&self) -> Vec<String> {
        self.recipe.columns.columns()
    }

    /// What is predicted of one row. A column that it does not have is missing. fast.ai's `predict`.
    ///
    /// # Errors
    /// When a number or a date cannot be read, or a column is unknown.
    pub fn predict(&self, row: &TableRow) -> Result<TablePrediction> {
        let rows = self.recipe.columns.encode_row(row, &self.recipe.target.columns())?;
        let mut predictions = self.predict_encoded(rows)?;
        predictions.pop().ok_or_else(|| Error::Value("the network gave no prediction".into()))
    }

    /// What is predicted of each row of a table, in its order. The target need not be in it, and other columns do not
    /// matter.
    ///
    /// # Errors
    /// When a column is not there, or a number or a date cannot be read.
    pub fn predict_table(&self, table: &Table) -> Result<Vec<TablePrediction>> {
        self.predict_encoded(self.recipe.columns.encode(table)?)
    }

    /// The table in a CSV file, with what is missing spelt as in training.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read(&self, file: impl AsRef<Path>) -> Result<Table> {
        Table::read_with(file, self.recipe.columns.missing())
    }

    /// A table with what is predicted, as the text of a CSV file: the table's own columns, then `predicted` and the
    /// probability of each class, or `predicted <column>` for each number, and `notes`.
    pub fn predictions_csv(&self, table: &Table, predictions: &[TablePrediction]) -> String {
        let text = |cell: &str| csv::text(cell).into_owned();
        let mut heads: Vec<String> = table.names().iter().map(|name| text(name)).collect();
        match &self.recipe.target {
            TableTarget::Class { classes, .. } => {
                heads.push("predicted".into());
                heads.extend(classes.iter().map(|class| text(&format!("probability of {class}"))));
            }
            TableTarget::Numbers(targets) => {
                heads.extend(targets.iter().map(|target| format!("predicted {}", target.column)));
            }
        }
        heads.push("notes".into());
        let rows = predictions.iter().enumerate().map(|(row, prediction)| {
            let cells = (0..table.names().len()).map(|column| table.cell(row, column).unwrap_or_default());
            // A negative number is not a formula.
            let cell = |cell: &str| if cell.parse::<f64>().is_ok() { cell.to_string() } else { text(cell) };
            let mut cells: Vec<String> = cells.map(cell).collect();
            match &prediction.outcome {
                Outcome::Class { class, probabilities, .. } => {
                    cells.push(cell(class));
                    cells.extend(probabilities.iter().map(|p| format!("{p:.6}")));
                }
                Outcome::Numbers(numbers) => cells.extend(numbers.iter().map(|(_, value)| value.to_string())),
            }
            cells.push(text(&prediction.notes.join("; ")));
            cells
        });
        csv::to_string(std::iter::once(heads).chain(rows))
    }

    /// What is predicted of rows that are encoded.
    pub(super) fn predict_encoded(&self, rows: EncodedRows) -> Result<Vec<TablePrediction>> {
        let (a, b) = (self.recipe.columns.categories().len(), self.recipe.columns.numbers().len());
        let EncodedRows { categories, numbers, notes } = rows;
        let task = self.listener.task("predicting", notes.len());
        let mut all = Vec::with_capacity(notes.len());
        for from in (0..notes.len()).step_by(BATCH) {
            self.listener.stop_if_interrupted()?;
            let to = notes.len().min(from + BATCH);
            let n = to - from;
            let xs = Tensor::from_slice(&categories[from * a..to * a], (n, a), &self.device)?;
            let numbers = Tensor::from_slice(&numbers[from * b..to * b], (n, b), &self.device)?;
            let outputs = kernels::no_grad(|| self.network.forward_inputs(&xs, &[numbers], false))?.detach();
            all.extend(self.outcomes(&outputs.to_dtype(DType::F64)?)?);
            task.progress(all.len(), "");
        }
        Ok(all.into_iter().zip(notes).map(|(outcome, notes)| TablePrediction { outcome, notes }).collect())
    }

    fn outcomes(&self, outputs: &Tensor) -> Result<Vec<Outcome>> {
        let values = match &self.recipe.target {
            TableTarget::Class { .. } => candle_nn::ops::softmax(outputs, D::Minus1)?,
            TableTarget::Numbers(_) => outputs.clone(),
        };
        let rows = values.to_vec2::<f64>()?;
        if rows.iter().flatten().any(|value| !value.is_finite()) {
            let message = "its predictions are not numbers: the training of this model has diverged; train it again";
            return Err(Error::network("tabular", message));
        }
        let outcome = |row: Vec<f64>| match &self.recipe.target {
            TableTarget::Class { classes, .. } => {
                let index = (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
                let class = classes.get(index).cloned().unwrap_or_default();
                Outcome::Class { class, index, probability: row[index], probabilities: row }
            }
            TableTarget::Numbers(targets) => {
                let number = |(target, value): (&NumberTarget, f64)| (target.column.clone(), value + target.offset);
                Outcome::Numbers(targets.iter().zip(row).map(number).collect())
            }
        };
        Ok(rows.into_iter().map(outcome).collect())
    }
}
