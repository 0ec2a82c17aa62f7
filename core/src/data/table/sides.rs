//! Splitting rows into a training set and a validation set.

use super::table::Table;
use crate::data::label_table::flag;
use crate::data::{RandomSplitter, Side, Split, Splitter};
use crate::error::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;

/// How the validation rows are chosen.
#[derive(Clone)]
pub(in crate::data) enum Splitting {
    /// A random share.
    Random(f64),
    Splitter(Arc<dyn Splitter>),
    /// By their number in the table.
    Rows(Arc<dyn Fn(usize) -> bool + Send + Sync>),
    /// A column says it.
    Column(String),
}

/// Rows of the table by what they are for.
pub(in crate::data) struct Sides {
    pub(in crate::data) train: Vec<usize>,
    pub(in crate::data) valid: Vec<usize>,
    pub(in crate::data) test: Vec<usize>,
}

impl Splitting {
    /// Puts these rows on their sides; `target` is the column of the target.
    ///
    /// # Errors
    /// When a column names no side, or one of the sides is empty.
    pub(in crate::data) fn sides(&self, table: &Table, rows: &[usize], target: usize, seed: u64) -> Result<Sides> {
        let (mut train, mut valid, mut test) = (Vec::new(), Vec::new(), Vec::new());
        match self {
            Splitting::Random(_) | Splitting::Splitter(_) | Splitting::Rows(_) => {
                let label = |row: usize| table.cell(row, target).unwrap_or_default().to_string();
                let split = self.split(rows, |row| row.to_string().into(), label, seed)?;
                (train, valid) = (split.train, split.valid);
            }
            Splitting::Column(column) => {
                let place = table.place(column)?;
                for &row in rows {
                    match side(table.cell(row, place).unwrap_or_default()) {
                        Some(Side::Train) => train.push(row),
                        Some(Side::Valid) => valid.push(row),
                        Some(Side::Test) => test.push(row),
                        None => {
                            let cell = table.cell(row, place).unwrap_or_default();
                            let what =
                                format!("`{cell}` is not a side; expected train, valid or test, or true or false");
                            return Err(table.error(row, place, what));
                        }
                    }
                }
            }
        }
        // In the table's order, however they were drawn.
        [&mut train, &mut valid, &mut test].into_iter().for_each(|side| side.sort_unstable());
        for (side, what) in [(&train, "train on"), (&valid, "validate on")] {
            if side.is_empty() {
                let n = rows.len();
                let remedy = "give more rows, or split them otherwise";
                let what = format!("has {n} rows with a target, and by the split none of them to {what}; {remedy}");
                return Err(table.refuse(what));
            }
        }
        Ok(Sides { train, valid, test })
    }

    /// Splits items of which no column tells anything: `name` is an item's file, or what stands for one, `label` its
    /// class.
    ///
    /// # Errors
    /// As the splitter's; and when a column should say it.
    pub(in crate::data) fn split(
        &self,
        items: &[usize],
        name: impl Fn(usize) -> PathBuf,
        label: impl Fn(usize) -> String,
        seed: u64,
    ) -> Result<Split> {
        let split = match self {
            Splitting::Random(share) => RandomSplitter { valid: *share, seed }.split(items.len())?,
            Splitting::Splitter(splitter) => {
                let names: Vec<PathBuf> = items.iter().map(|&item| name(item)).collect();
                splitter.split_items(&names, &items.iter().map(|&item| label(item)).collect::<Vec<String>>())?
            }
            Splitting::Rows(judges) => {
                let (valid, train) = (0..items.len()).partition(|&i| judges(items[i]));
                Split { train, valid }
            }
            Splitting::Column(column) => {
                let message =
                    format!("there is no table whose column `{column}` could say which items are for validation");
                return Err(Error::config("valid_column", message));
            }
        };
        let of_items = |side: Vec<usize>| side.into_iter().filter_map(|i| items.get(i).copied()).collect();
        Ok(Split { train: of_items(split.train), valid: of_items(split.valid) })
    }
}

/// The side that a word names: `train`, `valid`, `test` and the like, or whether a row is for validation.
fn side(word: &str) -> Option<Side> {
    Side::of_folder(word).or_else(|| flag(word).ok())
}
