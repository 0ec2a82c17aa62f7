//! From cells to the numbers that a network takes: categories by number, blanks filled, numbers normalised.

use super::date::{part_names, with_date_parts};
use super::near::near;
use super::table::{Table, number};
use super::table_row::TableRow;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The name of the class of what is missing or unknown, number 0 of every column of categories.
pub const NA: &str = "#na#";

/// How a row becomes a network's inputs, with all that was learnt of the table: fast.ai's `Categorify`, `FillMissing`
/// and `Normalize`. An exported model takes it along.
///
/// As in fast.ai, a column's classes are those of **all** rows, training and validation, so that a value which only
/// validation has keeps its class; it is sorted, numbers as numbers, after [`NA`] for what is missing or unknown later.
/// Blanks of numbers become the median of the training rows, and a category `<column>_na` tells where they were.
/// fast.ai refuses a column whose blanks are all in the validation rows; here it gets its `<column>_na` like any column
/// with a blank in a row of either side, and the network has never seen its `True`. Numbers are normalised by mean and
/// deviation of the training rows, after filling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableProcs {
    /// What stands for a missing cell, besides what always does.
    missing: Vec<String>,
    /// Columns of dates, which are replaced by their parts before all else.
    dates: Vec<String>,
    categories: Vec<CategoryColumn>,
    numbers: Vec<NumberColumn>,
}

/// A column of categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryColumn {
    /// The column, or `<column>_na`.
    pub name: String,
    /// The classes by number; the first is [`NA`].
    pub classes: Vec<String>,
    /// The column of numbers whose blanks it tells, if it is one that [`TableProcs`] made.
    pub blanks_of: Option<String>,
}

/// A column of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberColumn {
    /// The column.
    pub name: String,
    /// The median of the training rows, in the place of what is missing.
    pub fill: f64,
    /// The mean of the training rows.
    pub mean: f64,
    /// Their standard deviation, with `n` in its denominator, and 1e-7 more.
    pub std: f64,
}

/// Which columns go in, and as what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inputs {
    pub(super) missing: Vec<String>,
    pub(super) dates: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) numbers: Vec<String>,
}

/// The inputs of some rows, row after row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EncodedRows {
    /// The number of each category's class.
    pub categories: Vec<u32>,
    /// Numbers, filled and normalised.
    pub numbers: Vec<f32>,
    /// What a user should know of each row: unknown categories, and what stands for what is missing.
    pub notes: Vec<Vec<String>>,
}

impl EncodedRows {
    /// Those of these rows, of so many categories and numbers each.
    pub(super) fn select(&self, rows: &[usize], n_categories: usize, n_numbers: usize) -> EncodedRows {
        EncodedRows {
            categories: gathered(&self.categories, rows, n_categories),
            numbers: gathered(&self.numbers, rows, n_numbers),
            notes: rows.iter().map(|&row| self.notes[row].clone()).collect(),
        }
    }
}

/// Rows of `width` values each, one after the other.
pub(super) fn gathered<T: Copy>(values: &[T], rows: &[usize], width: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(rows.len() * width);
    rows.iter().for_each(|&row| out.extend_from_slice(&values[row * width..(row + 1) * width]));
    out
}

/// fast.ai adds it to a deviation, which may be 0.
/// Numbers that are further from the training rows' mean would overflow in a network's layers.
const MOST_DEVIATIONS: f64 = 1e30;

const EPSILON: f64 = 1e-7;

impl TableProcs {
    /// Learns from a table whose dates are parts already.
    pub(super) fn fit(table: &Table, inputs: &Inputs, train: &[usize], valid: &[usize]) -> Result<TableProcs> {
        let mut rows: Vec<usize> = train.iter().chain(valid).copied().collect();
        // A cell that is not a number is reported with the first line that has it.
        rows.sort_unstable();
        let mut categories = Vec::new();
        for name in &inputs.categories {
            let place = table.place(name)?;
            let classes = classes_of(rows.iter().filter_map(|&row| table.cell(row, place)));
            categories.push(CategoryColumn { name: name.clone(), classes, blanks_of: None });
        }
        let mut numbers = Vec::new();
        for name in &inputs.numbers {
            let place = table.place(name)?;
            let known = |rows: &[usize]| -> Result<Vec<f64>> {
                rows.iter().filter_map(|&row| table.number(row, place).transpose()).collect()
            };
            let n_known = known(&rows)?.len();
            let mut values = known(train)?;
            if values.is_empty() {
                let what = format!("has no number in column `{name}` of any training row; leave the column out");
                return Err(table.refuse(what));
            }
            if n_known < rows.len() {
                let (name, classes) = (format!("{name}_na"), [NA, "False", "True"].map(String::from).to_vec());
                if table.find(&name).is_some() {
                    let what = format!("has a column `{name}`, which tells blanks here; rename it");
                    return Err(table.refuse(what));
                }
                categories.push(CategoryColumn { name, classes, blanks_of: Some(table.names()[place].clone()) });
            }
            let fill = median(&values);
            values.resize(train.len(), fill);
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt() + EPSILON;
            if !std.is_finite() {
                return Err(table.too_large(train, place));
            }
            numbers.push(NumberColumn { name: name.clone(), fill, mean, std });
        }
        Ok(TableProcs { missing: inputs.missing.clone(), dates: inputs.dates.clone(), categories, numbers })
    }

    /// Notes on training rows whose number is so far from all others that those look alike beside it.
    pub(super) fn lone_numbers(&self, table: &Table, train: &[usize]) -> Result<Vec<String>> {
        // A number's square in deviations is at most n - 1, and that only where all others are the same.
        let most = 0.999 * (train.len() as f64 - 1.0);
        let mut notes = Vec::new();
        for column in &self.numbers {
            let place = table.place(&column.name)?;
            let numbers: Vec<(usize, f64)> =
                train.iter().filter_map(|&row| Some((row, table.number(row, place).ok()??))).collect();
            let distinct: HashSet<u64> = numbers.iter().map(|(_, number)| number.to_bits()).collect();
            let lone = |&&(_, number): &&(usize, f64)| ((number - column.mean) / column.std).powi(2) > most;
            if let Some(&(row, _)) = numbers.iter().find(lone).filter(|_| distinct.len() > 2) {
                let (name, cell) = (&column.name, table.cell(row, place).unwrap_or_default());
                notes.push(format!(
                    "`{name}` is `{cell}` in {}, so far from all others that they look alike beside it; \
                     is it a slip?",
                    table.line_of(row)
                ));
            }
        }
        Ok(notes)
    }

    /// The columns of categories, in the order of the network's inputs.
    pub fn categories(&self) -> &[CategoryColumn] {
        &self.categories
    }

    /// The columns of numbers, in that order.
    pub fn numbers(&self) -> &[NumberColumn] {
        &self.numbers
    }

    /// What stands for a missing cell, besides what always does ([`super::TableBlock::missing`]).
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Which inputs come from each column of the table: places of categories, and of numbers.
    pub fn sources(&self) -> Vec<(String, Vec<usize>, Vec<usize>)> {
        let of = |column: String| {
            let parts = if self.dates.contains(&column) { part_names(&column).to_vec() } else { vec![column.clone()] };
            let is_own = |name: &String| parts.contains(name);
            let categories =
                self.categories.iter().map(|input| is_own(input.blanks_of.as_ref().unwrap_or(&input.name)));
            let numbers = self.numbers.iter().map(|input| is_own(&input.name));
            let places = |own: Vec<bool>| (0..own.len()).filter(|&i| own[i]).collect::<Vec<usize>>();
            (column, places(categories.collect()), places(numbers.collect()))
        };
        self.columns().into_iter().map(of).collect()
    }

    /// The columns that a table must have.
    pub fn columns(&self) -> Vec<String> {
        let parts: BTreeSet<String> = self.dates.iter().flat_map(|date| part_names(date)).collect();
        let categories = self.categories.iter().filter(|column| column.blanks_of.is_none()).map(|column| &column.name);
        let plain = categories.chain(self.numbers.iter().map(|column| &column.name));
        self.dates.iter().chain(plain.filter(|name| !parts.contains(*name))).cloned().collect()
    }

    /// The inputs of all rows of a table; what else it has does not matter.
    ///
    /// # Errors
    /// When a column is not there, or a number or a date cannot be read; line, column and text are named.
    pub fn encode(&self, table: &Table) -> Result<EncodedRows> {
        self.encode_parts(&with_date_parts(table.clone(), &self.dates)?)
    }

    /// The inputs of one row; a column that it does not have is missing.
    ///
    /// # Errors
    /// When a number or a date cannot be read, or the row has a column that is neither of the training table nor one of
    /// `others`.
    pub fn encode_row(&self, row: &TableRow, others: &[String]) -> Result<EncodedRows> {
        let columns = self.columns();
        for name in row.names() {
            if !columns.iter().chain(others).any(|known| known == name) {
                let near = near(name, columns.iter().map(String::as_str));
                let meant = if near.is_empty() { String::new() } else { format!(" (`{}`?)", near.join("` or `")) };
                let message = format!("there is no column `{name}`{meant}: a row has {}", columns.join(", "));
                return Err(Error::Value(message));
            }
        }
        let cell = |name| row.get(name).filter(|cell| !self.missing.iter().any(|missing| missing == cell));
        let cells: Vec<&str> = columns.iter().map(|name| cell(name).unwrap_or_default()).collect();
        self.encode(&Table::from_rows(&columns, [cells])?)
    }

    /// [`TableProcs::encode`] where dates are parts already.
    pub(super) fn encode_parts(&self, table: &Table) -> Result<EncodedRows> {
        let n_rows = table.n_rows();
        let (n_categories, n_numbers) = (self.categories.len(), self.numbers.len());
        let mut encoded = EncodedRows {
            categories: vec![0; n_rows * n_categories],
            numbers: vec![0.0; n_rows * n_numbers],
            notes: vec![Vec::new(); n_rows],
        };
        let mut missing = vec![Vec::new(); n_rows];
        for (i, column) in self.categories.iter().enumerate() {
            let place = table.place(column.blanks_of.as_ref().unwrap_or(&column.name))?;
            let numbers: HashMap<&str, u32> = column.classes.iter().map(String::as_str).zip(0..).skip(1).collect();
            for (row, missing) in missing.iter_mut().enumerate() {
                let cell = table.cell(row, place);
                let class = match (&column.blanks_of, cell) {
                    (Some(_), cell) => 1 + u32::from(cell.is_none()),
                    (None, None) => {
                        missing.push(format!("`{}` ({NA})", column.name));
                        0
                    }
                    (None, Some(cell)) => numbers.get(cell).copied().unwrap_or_else(|| {
                        let name = &column.name;
                        encoded.notes[row].push(format!("`{name}` is `{cell}`, unknown in training: {NA}"));
                        0
                    }),
                };
                encoded.categories[row * n_categories + i] = class;
            }
        }
        for (i, column) in self.numbers.iter().enumerate() {
            let place = table.place(&column.name)?;
            for (row, missing) in missing.iter_mut().enumerate() {
                let value = table.number(row, place)?.unwrap_or_else(|| {
                    missing.push(format!("`{}` ({})", column.name, column.fill));
                    column.fill
                });
                let deviations = (value - column.mean) / column.std;
                if deviations.is_nan() || deviations.abs() > MOST_DEVIATIONS {
                    return Err(table.too_large(&[row], place));
                }
                encoded.numbers[row * n_numbers + i] = deviations as f32;
            }
        }
        for (notes, missing) in encoded.notes.iter_mut().zip(missing).filter(|(_, missing)| !missing.is_empty()) {
            notes.push(format!("missing, with what stands for it: {}", missing.join(", ")));
        }
        Ok(encoded)
    }

    /// The cells of one row of inputs, as people read them, in the order of [`TableProcs::names`].
    pub(super) fn decode(&self, categories: &[u32], numbers: &[f32]) -> Vec<String> {
        let class = |(column, &class): (&CategoryColumn, &u32)| {
            column.classes.get(class as usize).cloned().unwrap_or_else(|| NA.into())
        };
        let number = |(column, &value): (&NumberColumn, &f32)| shown(f64::from(value) * column.std + column.mean);
        let categories = self.categories.iter().zip(categories).map(class);
        categories.chain(self.numbers.iter().zip(numbers).map(number)).collect()
    }

    /// The names of the inputs: categories, then numbers.
    pub fn names(&self) -> Vec<String> {
        let categories = self.categories.iter().map(|column| &column.name);
        categories.chain(self.numbers.iter().map(|column| &column.name)).cloned().collect()
    }
}

/// A number for people: six digits, which is what an `f32` keeps.
pub(super) fn shown(value: f64) -> String {
    let digits = (5 - value.abs().max(1.0).log10().floor() as i32).clamp(0, 5) as usize;
    let text = format!("{value:.digits$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if short == "-0" { "0".into() } else { short.into() }
}

/// The distinct values after [`NA`], sorted: numbers as numbers where all are, else by their letters.
pub(super) fn classes_of<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let distinct: BTreeSet<&str> = values.collect();
    let numbers: Option<Vec<f64>> = distinct.iter().map(|value| number(value)).collect();
    let mut sorted: Vec<&str> = distinct.into_iter().collect();
    if let Some(numbers) = numbers {
        let mut pairs: Vec<(f64, &str)> = numbers.into_iter().zip(sorted).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        sorted = pairs.into_iter().map(|(_, value)| value).collect();
    }
    [NA].into_iter().chain(sorted).map(String::from).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sorted_as_pandas_sorts_them() {
        assert_eq!(classes_of(["10", "9", "10", "2"].into_iter()), [NA, "2", "9", "10"]);
        assert_eq!(classes_of(["b", "10", "9"].into_iter()), [NA, "10", "9", "b"]);
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
        let all = [39.0000007, 189745.33, 0.1, -0.0000001, 1234567.0, 12.3456789].map(shown);
        assert_eq!(all, ["39", "189745", "0.1", "0", "1234567", "12.3457"]);
    }
}
