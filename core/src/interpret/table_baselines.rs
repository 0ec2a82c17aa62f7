//! Baselines for tables: whether the network was worth it.

use crate::classic::{DummyClassifier, Estimator, GradientBoosting, LogisticRegression, Matrix, Probabilities};
use crate::data::{TableDataset, TabularDataLoaders, TargetValues};
use crate::error::{Error, Result};
use crate::metrics;

/// The score of a baseline on the validation rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableBaseline {
    /// The method.
    pub name: &'static str,
    /// `accuracy`, or `rmse` of numbers (of several targets the first).
    pub score: f64,
    /// The log loss of its probabilities; none for numbers.
    pub log_loss: Option<f64>,
}

/// Fits methods to the training rows and evaluates them on the validation rows: of classes the most frequent one,
/// logistic regression on one column for each class and the numbers, and gradient boosting of trees
/// ([`GradientBoosting`]); of numbers the mean, and boosting.
///
/// Logistic regression is left out of tables with more than `MOST_COLUMNS` columns after that.
///
/// # Errors
/// When a fit fails.
pub fn table_baselines(dls: &TabularDataLoaders) -> Result<Vec<TableBaseline>> {
    let (train, valid) = (dls.train.dataset(), dls.valid.dataset());
    let (xs, valid_xs) = (ordinal(train)?, ordinal(valid)?);
    match (train.targets(), valid.targets()) {
        (TargetValues::Classes(ys), TargetValues::Classes(valid_ys)) => {
            let n_classes = dls.target().n_outputs();
            let judge = Judge { n_classes, ys: valid_ys };
            let mut all = vec![
                judge.baseline("the most frequent class", &DummyClassifier::Prior.fit(&xs, ys)?, &valid_xs)?,
                judge.baseline("gradient boosting", &GradientBoosting::default().fit(&xs, ys)?, &valid_xs)?,
            ];
            let width = one_hot_width(train);
            if width <= MOST_COLUMNS {
                let model = LogisticRegression::new().fit(&one_hot(train, width)?, ys)?;
                all.insert(1, judge.baseline("logistic regression", &model, &one_hot(valid, width)?)?);
            }
            Ok(all)
        }
        (TargetValues::Numbers(ys), TargetValues::Numbers(valid_ys)) => {
            let first = |ys: &[f32]| -> Vec<f64> {
                ys.iter().step_by(dls.target().n_outputs().max(1)).map(|&y| f64::from(y)).collect()
            };
            let (ys, valid_ys) = (first(ys), first(valid_ys));
            let mean = ys.iter().sum::<f64>() / ys.len().max(1) as f64;
            let boosted = GradientBoosting::default().fit_numbers(&xs, &ys)?.predict(&valid_xs)?;
            let scored = |name, predicted: &[f64]| -> Result<TableBaseline> {
                Ok(TableBaseline { name, score: metrics::rmse(predicted, &valid_ys)?, log_loss: None })
            };
            Ok(vec![scored("the mean", &vec![mean; valid_ys.len()])?, scored("gradient boosting", &boosted)?])
        }
        _ => Err(Error::Value("training and validation rows have targets of two kinds".into())),
    }
}

/// Logistic regression with more columns than this would take longer than the network.
const MOST_COLUMNS: usize = 300;

struct Judge<'a> {
    n_classes: usize,
    ys: &'a [u32],
}

impl Judge<'_> {
    fn baseline(&self, name: &'static str, model: &impl Probabilities, xs: &Matrix) -> Result<TableBaseline> {
        // A class that training lacks has no probability.
        let mut probabilities = vec![0.0; xs.rows() * self.n_classes];
        for (row, known) in probabilities.chunks_exact_mut(self.n_classes.max(1)).zip(model.probabilities(xs)?.iter()) {
            model.classes().iter().zip(known).for_each(|(&class, &p)| row[class as usize] = p);
        }
        let log_loss = metrics::log_loss(&probabilities, self.n_classes, self.ys)?;
        Ok(TableBaseline { name, score: model.score(xs, self.ys)?, log_loss: Some(log_loss) })
    }
}

/// Numbers of classes beside numbers: what trees take.
fn ordinal(dataset: &TableDataset) -> Result<Matrix> {
    let (a, b) = widths(dataset);
    let rows = dataset.rows();
    let row = |i: usize| {
        let classes = rows.categories[i * a..(i + 1) * a].iter().map(|&class| f64::from(class));
        classes.chain(rows.numbers[i * b..(i + 1) * b].iter().map(|&number| f64::from(number)))
    };
    let n = dataset.places().len();
    Matrix::new(n, a + b, (0..n).flat_map(row).collect())
}

/// A column for each class beside the numbers: what linear methods take.
fn one_hot(dataset: &TableDataset, width: usize) -> Result<Matrix> {
    let (a, b) = widths(dataset);
    let (rows, n) = (dataset.rows(), dataset.places().len());
    let mut values = vec![0.0; n * width];
    for (i, row) in values.chunks_exact_mut(width).enumerate() {
        let mut from = 0;
        for (column, &class) in dataset.procs().categories().iter().zip(&rows.categories[i * a..]) {
            row[from + class as usize] = 1.0;
            from += column.classes.len();
        }
        for (cell, &number) in row[from..].iter_mut().zip(&rows.numbers[i * b..(i + 1) * b]) {
            *cell = f64::from(number);
        }
    }
    Matrix::new(n, width, values)
}

fn one_hot_width(dataset: &TableDataset) -> usize {
    let procs = dataset.procs();
    procs.categories().iter().map(|column| column.classes.len()).sum::<usize>() + procs.numbers().len()
}

fn widths(dataset: &TableDataset) -> (usize, usize) {
    (dataset.procs().categories().len(), dataset.procs().numbers().len())
}
