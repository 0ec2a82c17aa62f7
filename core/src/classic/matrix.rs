//! Rows of numbers: one row per sample, one column per feature.

use crate::error::{Error, Result};

/// A dense table of `f64`, row-major: what NumPy's two-dimensional arrays are to scikit-learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of the values of its rows, one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are no columns, or not `rows` times `columns` values.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Matrix> {
        if columns == 0 {
            return Err(Error::shape("a matrix needs at least one column, got 0", &[rows, columns]));
        }
        if rows.checked_mul(columns) != Some(values.len()) {
            let n = values.len();
            return Err(Error::shape(format!("{n} values cannot fill {rows} rows of {columns} columns"), &[n]));
        }
        Ok(Matrix { rows, columns, values })
    }

    /// A matrix of rows of one length.
    ///
    /// ```
    /// let xs = tallow::classic::Matrix::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])?;
    /// assert_eq!((xs.rows(), xs.columns(), xs.row(1)), (3, 2, &[3.0, 4.0][..]));
    /// # Ok::<(), tallow::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] where there are no rows, or they are empty or of different lengths.
    pub fn from_rows(rows: &[impl AsRef<[f64]>]) -> Result<Matrix> {
        let Some(first) = rows.first() else {
            return Err(Error::shape("0 rows: their length is not known; use Matrix::new", &[0]));
        };
        let columns = first.as_ref().len();
        if let Some((i, row)) = rows.iter().enumerate().find(|(_, row)| row.as_ref().len() != columns) {
            let n = row.as_ref().len();
            let message = format!("row {i} has {n} values, row 0 has {columns}: all rows need one length");
            return Err(Error::shape(message, &[n]));
        }
        Matrix::new(rows.len(), columns, rows.iter().flat_map(|row| row.as_ref()).copied().collect())
    }

    /// A matrix of single-precision values, such as a network's features, row after row.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are no columns, or the values do not fill whole rows.
    pub fn from_f32(columns: usize, values: &[f32]) -> Result<Matrix> {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        Matrix::new(rows, columns, values.iter().map(|&v| f64::from(v)).collect())
    }

    /// The values in single precision, row after row.
    pub fn to_f32(&self) -> Vec<f32> {
        self.values.iter().map(|&v| v as f32).collect()
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row; empty where there is none of that number.
    pub fn row(&self, row: usize) -> &[f64] {
        self.values.chunks_exact(self.columns).nth(row).unwrap_or(&[])
    }

    /// All rows in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.columns)
    }

    /// One column; empty where there is none of that number.
    pub fn column(&self, column: usize) -> Vec<f64> {
        self.iter().filter_map(|row| row.get(column)).copied().collect()
    }

    /// All values, row after row: the form that [`crate::metrics`] takes.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The rows of these numbers, in this order, as `xs[indices]` in NumPy.
    ///
    /// # Errors
    /// [`Error::Shape`] where a number is not that of a row.
    pub fn select(&self, indices: &[usize]) -> Result<Matrix> {
        if let Some(bad) = indices.iter().find(|&&i| i >= self.rows) {
            let message = format!("row {bad} is out of range for {} rows", self.rows);
            return Err(Error::shape(message, &[self.rows, self.columns]));
        }
        let values = indices.iter().flat_map(|&i| self.row(i)).copied().collect();
        Matrix::new(indices.len(), self.columns, values)
    }

    pub(super) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// A matrix whose values are known to fit.
    pub(super) fn of(columns: usize, values: Vec<f64>) -> Matrix {
        Matrix { rows: values.len() / columns.max(1), columns: columns.max(1), values }
    }
}
