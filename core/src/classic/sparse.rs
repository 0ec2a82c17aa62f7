//! Rows that are zero in almost all columns.

use super::products::map;
use super::rows::Rows;
use crate::error::{Error, Result};

/// A table of `f64` of which almost all are zero, and of which the others are kept, row after row: SciPy's
/// `csr_matrix`. Texts as counts of their words are such tables.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseMatrix {
    columns: usize,
    /// Where each row's entries begin, and where the last one's end.
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
}

impl SparseMatrix {
    /// A matrix of rows that name the columns which are not zero, each once, in ascending order.
    ///
    /// ```
    /// let xs = tallow::classic::SparseMatrix::from_rows(4, [vec![(0, 1.0), (3, 2.0)], vec![]])?;
    /// assert_eq!((xs.rows(), xs.columns(), xs.n_entries(), xs.row(0)), (2, 4, 2, &[(0, 1.0), (3, 2.0)][..]));
    /// # Ok::<(), tallow::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] where there are no columns, or a row names one that is not there, twice or out of order;
    /// [`Error::Value`] where a value is not finite.
    pub fn from_rows(columns: usize, rows: impl IntoIterator<Item = Vec<(u32, f64)>>) -> Result<SparseMatrix> {
        if columns == 0 {
            return Err(Error::shape("a matrix needs at least one column, got 0", &[0, 0]));
        }
        let mut matrix = SparseMatrix::of_sorted(columns, Vec::new());
        for (i, row) in rows.into_iter().enumerate() {
            let in_order = row.windows(2).all(|pair| pair[0].0 < pair[1].0);
            if !in_order || row.last().is_some_and(|&(column, _)| column as usize >= columns) {
                let message = format!("row {i} names columns that are not below {columns}, or not in ascending order");
                return Err(Error::shape(message, &[i, columns]));
            }
            if let Some((column, value)) = row.iter().find(|(_, value)| !value.is_finite()) {
                let what = "remove or replace values that are not finite";
                return Err(Error::Value(format!("row {i}, column {column} is {value}: {what}")));
            }
            matrix.push(row);
        }
        Ok(matrix)
    }

    /// A matrix of rows that are known to be in order, below `columns` and finite.
    pub(super) fn of_sorted(columns: usize, rows: Vec<Vec<(u32, f64)>>) -> SparseMatrix {
        let mut matrix = SparseMatrix { columns, starts: vec![0], entries: Vec::new() };
        rows.into_iter().for_each(|row| matrix.push(row));
        matrix
    }

    fn push(&mut self, row: impl IntoIterator<Item = (u32, f64)>) {
        self.entries.extend(row);
        self.starts.push(self.entries.len());
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many values are kept: SciPy's `nnz`.
    pub fn n_entries(&self) -> usize {
        self.entries.len()
    }

    /// The columns of a row that are not zero, and their values; empty where there is no row of that number.
    pub fn row(&self, row: usize) -> &[(u32, f64)] {
        match self.starts.get(row..row.saturating_add(2)) {
            Some(&[start, end]) => &self.entries[start..end],
            _ => &[],
        }
    }

    /// The product with a vector.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        const BLOCK: usize = 1024;
        let n = self.rows();
        let product = |row: usize| self.row(row).iter().map(|&(column, value)| value * vector[column as usize]).sum();
        let block = |block: usize| (block * BLOCK..n.min((block + 1) * BLOCK)).map(product).collect::<Vec<f64>>();
        map(n.div_ceil(BLOCK), block).concat()
    }

    /// Columns as rows.
    fn transposed(&self) -> SparseMatrix {
        let mut columns: Vec<Vec<(u32, f64)>> = vec![Vec::new(); self.columns];
        for row in 0..self.rows() {
            for &(column, value) in self.row(row) {
                columns[column as usize].push((row as u32, value));
            }
        }
        SparseMatrix::of_sorted(self.rows(), columns)
    }

    fn map(mut self, f: impl Fn(f64) -> f64) -> SparseMatrix {
        self.entries.iter_mut().for_each(|(_, value)| *value = f(*value));
        self
    }
}

/// Sparse rows with a constant 1 at their ends, and the same the other way round: both products go through rows, which
/// threads can share.
pub(super) struct SparseRows {
    rows: SparseMatrix,
    columns: SparseMatrix,
    squares: SparseMatrix,
}

impl SparseRows {
    pub(super) fn with_ones(xs: &SparseMatrix) -> SparseRows {
        let mut rows = SparseMatrix::of_sorted(xs.columns + 1, Vec::new());
        for row in 0..xs.rows() {
            rows.push(xs.row(row).iter().copied().chain([(xs.columns as u32, 1.0)]));
        }
        let columns = rows.transposed();
        SparseRows { rows, squares: columns.clone().map(|value| value * value), columns }
    }
}

/// The product with each of `outputs` vectors, whose entries stand side by side; the results one after the other.
fn products(matrix: &SparseMatrix, side_by_side: &[f64], outputs: usize) -> Vec<f64> {
    let vector = |k: usize| side_by_side.iter().skip(k).step_by(outputs).copied().collect::<Vec<f64>>();
    (0..outputs).flat_map(|k| matrix.times(&vector(k))).collect()
}

impl Rows for SparseRows {
    fn width(&self) -> usize {
        self.rows.columns
    }

    fn scores(&self, weights: &[f64]) -> Vec<f64> {
        let each: Vec<Vec<f64>> = weights.chunks_exact(self.width()).map(|weights| self.rows.times(weights)).collect();
        (0..self.rows.rows()).flat_map(|row| each.iter().map(move |scores| scores[row])).collect()
    }

    fn sums(&self, factors: &[f64], outputs: usize) -> Vec<f64> {
        products(&self.columns, factors, outputs)
    }

    fn sums_of_squares(&self, factors: &[f64], outputs: usize) -> Vec<f64> {
        products(&self.squares, factors, outputs)
    }

    fn squares(&self, _factors: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        None
    }
}
