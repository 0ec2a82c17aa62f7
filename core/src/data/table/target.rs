//! What is to be predicted of a row.

use super::procs::{classes_of, shown};
use super::table::Table;
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The target of a table's rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableTarget {
    /// One class of several.
    Class {
        /// The column.
        column: String,
        /// The classes, sorted: numbers as numbers, texts by their letters.
        classes: Vec<String>,
    },
    /// A number in each of these columns.
    Numbers(Vec<NumberTarget>),
}

/// A number that is predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberTarget {
    /// The column.
    pub column: String,
    /// The mean of the training rows.
    pub mean: f64,
    /// Their standard deviation, with `n` in its denominator.
    pub std: f64,
    /// What is taken off before a number becomes an `f32`, and put back to predictions in `f64`: the mean where it is
    /// so much larger than the deviation that single precision would not tell rows apart, and else 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: f64,
}

fn is_zero(offset: &f64) -> bool {
    *offset == 0.0
}

/// With a mean of more deviations than this, a number's offset is taken off: it costs single precision ten bits.
const FAR: f64 = 1e3;

/// Whether a target is a class or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// One class of several: the loss is cross entropy.
    Class,
    /// A number: the loss is the squared error.
    Number,
}

/// The targets of some rows.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetValues {
    /// The number of each row's class.
    Classes(Vec<u32>),
    /// Numbers without their [`offset`](NumberTarget::offset), row after row.
    Numbers(Vec<f32>),
}

impl TableTarget {
    /// Learns from the rows of both sides, of which none lacks its target.
    pub(super) fn fit(
        table: &Table,
        columns: &[String],
        kind: TargetKind,
        [train, valid]: [&[usize]; 2],
    ) -> Result<TableTarget> {
        if let (TargetKind::Class, [column]) = (kind, columns) {
            let place = table.place(column)?;
            let rows = train.iter().chain(valid);
            let classes = classes_of(rows.filter_map(|&row| table.cell(row, place))).split_off(1);
            if let [only] = &classes[..] {
                let what = format!("has one value only, `{only}`, in its target `{column}`: there is nothing to learn");
                return Err(table.refuse(what));
            }
            return Ok(TableTarget::Class { column: column.clone(), classes });
        }
        if kind == TargetKind::Class {
            let what = format!("a class is one column, not {}: {}", columns.len(), columns.join(", "));
            return Err(Error::config("target", what));
        }
        let mut targets = Vec::new();
        for column in columns {
            let place = table.place(column)?;
            let values: Vec<f64> =
                train.iter().filter_map(|&row| table.number(row, place).transpose()).collect::<Result<_>>()?;
            let n = values.len().max(1) as f64;
            let mean = values.iter().sum::<f64>() / n;
            let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
            if !std.is_finite() {
                return Err(table.too_large(train, place));
            }
            if std <= mean.abs() * 1e-12 {
                let mean = shown(mean);
                let what = format!("has one value only, {mean}, in its target `{column}`: there is nothing to learn");
                return Err(table.refuse(what));
            }
            let offset = if mean.abs() > FAR * std { mean } else { 0.0 };
            targets.push(NumberTarget { column: column.clone(), mean, std, offset });
        }
        Ok(TableTarget::Numbers(targets))
    }

    /// The columns.
    pub fn columns(&self) -> Vec<String> {
        match self {
            TableTarget::Class { column, .. } => vec![column.clone()],
            TableTarget::Numbers(targets) => targets.iter().map(|target| target.column.clone()).collect(),
        }
    }

    /// How many outputs a network needs: a score for each class, or the numbers.
    pub fn n_outputs(&self) -> usize {
        match self {
            TableTarget::Class { classes, .. } => classes.len(),
            TableTarget::Numbers(targets) => targets.len(),
        }
    }

    /// The classes; none where numbers are predicted.
    pub fn classes(&self) -> &[String] {
        match self {
            TableTarget::Class { classes, .. } => classes,
            TableTarget::Numbers(_) => &[],
        }
    }

    /// The targets of these rows of a table.
    ///
    /// # Errors
    /// When a column is not there, or a cell is missing, no number, or no class; line, column and text are named.
    pub fn encode(&self, table: &Table, rows: &[usize]) -> Result<TargetValues> {
        let missing = |row, place| table.error(row, place, "the target is missing");
        match self {
            TableTarget::Class { column, classes } => {
                let place = table.place(column)?;
                let class = |&row: &usize| {
                    let cell = table.cell(row, place).ok_or_else(|| missing(row, place))?;
                    let known = classes.iter().position(|class| class == cell);
                    let unknown = || format!("`{cell}` is not one of the classes {}", classes.join(", "));
                    Ok(known.ok_or_else(|| table.error(row, place, unknown()))? as u32)
                };
                Ok(TargetValues::Classes(rows.iter().map(class).collect::<Result<_>>()?))
            }
            TableTarget::Numbers(targets) => {
                let places = targets.iter().map(|target| table.place(&target.column)).collect::<Result<Vec<_>>>()?;
                let mut values = Vec::with_capacity(rows.len() * places.len());
                for &row in rows {
                    for (&place, target) in places.iter().zip(targets) {
                        let number = table.number(row, place)?.ok_or_else(|| missing(row, place))?;
                        let value = (number - target.offset) as f32;
                        if !value.is_finite() {
                            return Err(table.too_large(&[row], place));
                        }
                        values.push(value);
                    }
                }
                Ok(TargetValues::Numbers(values))
            }
        }
    }
}

impl TargetValues {
    /// These rows as a tensor: classes `[N]` as `u32`, or numbers `[N, width]`.
    pub(super) fn tensor(&self, indices: &[usize], width: usize) -> Result<Tensor> {
        match self {
            TargetValues::Classes(classes) => {
                Ok(Tensor::new(indices.iter().map(|&i| classes[i]).collect::<Vec<u32>>(), &Device::Cpu)?)
            }
            TargetValues::Numbers(values) => {
                let rows = indices.iter().flat_map(|&i| &values[i * width..(i + 1) * width]).copied();
                Ok(Tensor::from_vec(rows.collect::<Vec<f32>>(), (indices.len(), width), &Device::Cpu)?)
            }
        }
    }

    /// The target of one row, as people read it.
    pub(super) fn shown(&self, index: usize, target: &TableTarget) -> Vec<String> {
        match (self, target) {
            (TargetValues::Classes(labels), TableTarget::Class { classes, .. }) => {
                let class = labels.get(index).and_then(|&class| classes.get(class as usize));
                vec![class.cloned().unwrap_or_default()]
            }
            (TargetValues::Numbers(values), TableTarget::Numbers(targets)) => {
                let row = &values[index * targets.len()..(index + 1) * targets.len()];
                row.iter().zip(targets).map(|(&value, target)| shown(f64::from(value) + target.offset)).collect()
            }
            _ => Vec::new(),
        }
    }
}
