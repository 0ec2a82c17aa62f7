//! Which rows train and which judge.

use super::table::Table;
use crate::data::label_table::flag;
use crate::data::{RandomSplitter, Side, Split, Splitter};
use crate::error::Result;
use std::path::PathBuf;
use std::sync::Arc;

/// How the rows that judge are told.
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
    /// When a column names no side, or nobody trains or judges.
    pub(in crate::data) fn sides(&self, table: &Table, rows: &[usize], target: usize, seed: u64) -> Result<Sides> {
        let of_rows = |side: Vec<usize>| side.into_iter().map(|i| rows[i]).collect::<Vec<usize>>();
        let (mut train, mut valid, mut test) = (Vec::new(), Vec::new(), Vec::new());
        match self {
            Splitting::Random(share) => {
                let split = RandomSplitter { valid: *share, seed }.split(rows.len())?;
                (train, valid) = (of_rows(split.train), of_rows(split.valid));
            }
            Splitting::Splitter(splitter) => {
                let names: Vec<PathBuf> = rows.iter().map(|row| row.to_string().into()).collect();
                let label = |&row: &usize| table.cell(row, target).unwrap_or_default().to_string();
                let labels: Vec<String> = rows.iter().map(label).collect();
                let Split { train: a, valid: b } = splitter.split_items(&names, &labels)?;
                (train, valid) = (of_rows(a), of_rows(b));
            }
            Splitting::Rows(judges) => (valid, train) = rows.iter().copied().partition(|&row| judges(row)),
            Splitting::Column(column) => {
                let place = table.place(column)?;
                for &row in rows {
                    match side(table.cell(row, place).unwrap_or_default()) {
                        Some(Side::Train) => train.push(row),
                        Some(Side::Valid) => valid.push(row),
                        Some(Side::Test) => test.push(row),
                        None => {
                            let cell = table.cell(row, place).unwrap_or_default();
                            let what = format!("`{cell}` is no side; expected train, valid or test, or true or false");
                            return Err(table.error(row, place, what));
                        }
                    }
                }
            }
        }
        // In the table's order, however they were drawn.
        [&mut train, &mut valid, &mut test].into_iter().for_each(|side| side.sort_unstable());
        for (side, what) in [(&train, "train with"), (&valid, "judge by")] {
            if side.is_empty() {
                let n = rows.len();
                return Err(
                    table.refuse(format!("has {n} rows with a target, and by the split none of them to {what}"))
                );
            }
        }
        Ok(Sides { train, valid, test })
    }
}

/// The side that a word names: `train`, `valid`, `test` and the like, or whether a row is for validation.
fn side(word: &str) -> Option<Side> {
    Side::of_folder(word).or_else(|| flag(word).ok())
}
