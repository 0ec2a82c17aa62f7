//! The importance of a table's columns.

use crate::data::{DataLoader, EncodedRows, TableLoader, TargetValues};
use crate::error::{Error, Result};
use crate::plot::Bars;
use crate::rng::Rng;
use crate::tabular_learner::TabularLearner;
use crate::train::{accuracy, rmse};

/// Permutation importance (Breiman, *Random Forests*, 2001): how much worse predictions become when the cells of one
/// column are shuffled among the rows. scikit-learn's `permutation_importance`. A column that the network does not use
/// has an importance of 0; two columns with the same content share theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The measure: `accuracy`, or `rmse` where numbers are predicted.
    pub measure: &'static str,
    /// Its value with all columns as they are.
    pub intact: f64,
    /// The columns, the most important first.
    pub columns: Vec<ColumnImportance>,
}

/// The importance of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnImportance {
    /// The column of the table; of a date all its parts together.
    pub column: String,
    /// How much accuracy is lost, or how much `rmse` is added: the mean over shuffles.
    pub worth: f64,
    /// The standard deviation over shuffles.
    pub deviation: f64,
}

impl Importance {
    /// Measures the importance on the validation rows, with `repeats` shuffles of each column.
    ///
    /// # Errors
    /// When `repeats` is 0, or shapes do not fit.
    pub fn of(learner: &TabularLearner, repeats: usize, seed: u64) -> Result<Importance> {
        Importance::on(learner, &learner.table_dls().valid, repeats, seed)
    }

    /// Measures the importance on the rows of any loader, with `repeats` shuffles of each column.
    ///
    /// # Errors
    /// When `repeats` is 0, or shapes do not fit.
    pub fn on(learner: &TabularLearner, loader: &TableLoader, repeats: usize, seed: u64) -> Result<Importance> {
        if repeats == 0 {
            return Err(Error::config("repeats", "permutation importance needs at least one shuffle of each column"));
        }
        let dataset = loader.dataset();
        let (procs, rows) = (dataset.procs(), dataset.rows());
        let is_class = matches!(dataset.targets(), TargetValues::Classes(_));
        let (metric, sign) = if is_class { (accuracy(), -1.0) } else { (rmse(), 1.0) };
        let measured = |rows: EncodedRows| -> Result<f64> {
            let loader = DataLoader::new(dataset.with_rows(rows)?, 1024)?;
            let (preds, ys) = learner.get_preds(&loader)?;
            metric.of(&preds, &ys)
        };
        let intact = measured(rows.clone())?;
        let widths = (procs.categories().len(), procs.numbers().len());
        let rng = Rng::new(seed).stream("importance");
        let mut columns = Vec::new();
        for (number, (column, categories, numbers)) in procs.sources().into_iter().enumerate() {
            let mut losses = Vec::with_capacity(repeats);
            for repeat in 0..repeats {
                let order = rng.substream((number * repeats + repeat) as u64).permutation(dataset.places().len());
                let mut shuffled = rows.clone();
                shuffle(&mut shuffled.categories, &rows.categories, &order, widths.0, &categories);
                shuffle(&mut shuffled.numbers, &rows.numbers, &order, widths.1, &numbers);
                losses.push(sign * (measured(shuffled)? - intact));
            }
            let n = repeats as f64;
            let worth = losses.iter().sum::<f64>() / n;
            let deviation = (losses.iter().map(|loss| (loss - worth).powi(2)).sum::<f64>() / n).sqrt();
            columns.push(ColumnImportance { column, worth, deviation });
        }
        columns.sort_by(|a, b| b.worth.total_cmp(&a.worth));
        Ok(Importance { measure: if is_class { "accuracy" } else { "rmse" }, intact, columns })
    }

    /// A bar for each column, the most important on top.
    pub fn plot(&self) -> Bars {
        let (names, values): (Vec<&str>, Vec<f64>) =
            self.columns.iter().map(|column| (column.column.as_str(), column.worth)).unzip();
        let what = if self.measure == "accuracy" { "accuracy lost" } else { "rmse added" };
        Bars::new("What columns are worth", &names, &values).horizontal().x_label(format!("{what} when shuffled"))
    }
}

/// Puts columns of other rows in the place of each row's.
fn shuffle<T: Copy>(into: &mut [T], from: &[T], order: &[usize], width: usize, columns: &[usize]) {
    for (row, &other) in order.iter().enumerate() {
        for column in columns {
            into[row * width + column] = from[other * width + column];
        }
    }
}
