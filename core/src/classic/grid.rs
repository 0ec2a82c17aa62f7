//! A model's predictions on a grid of points, to plot decision regions and probabilities.

use super::estimator::{Classifier, Decision, Probabilities};
use super::matrix::Matrix;
use crate::error::{Error, Result};

/// The points of a rectangle of the plane, row by row from the top left, as a picture has its pixels. Each stands in
/// the middle of its cell, so that cells fill the rectangle.
///
/// ```
/// use tallow::classic::{Estimator, Grid, LogisticRegression, Matrix};
/// let xs = Matrix::from_rows(&[[0.0, 0.0], [1.0, 0.0]])?;
/// let model = LogisticRegression::new().fit(&xs, &[0, 1])?;
/// let grid = Grid::new((-1.0, 2.0), (-1.0, 1.0), 4, 2)?;
/// assert_eq!(grid.point(0), [-0.625, 0.5]);
/// assert_eq!(grid.predict(&model)?, [0, 0, 1, 1, 0, 0, 1, 1]);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Grid {
    x: (f64, f64),
    y: (f64, f64),
    columns: usize,
    rows: usize,
}

impl Grid {
    /// A grid of `columns` by `rows` cells over the ranges of both features.
    ///
    /// # Errors
    /// [`Error::Config`] where a range is empty or not finite, [`Error::Shape`] where there are no cells.
    pub fn new(x: (f64, f64), y: (f64, f64), columns: usize, rows: usize) -> Result<Grid> {
        for (name, (low, high)) in [("x", x), ("y", y)] {
            if !(low < high && low.is_finite() && high.is_finite()) {
                return Err(Error::config(name, format!("the range of {name} must ascend, got {low} to {high}")));
            }
        }
        if columns == 0 || rows == 0 {
            return Err(Error::shape(format!("a grid of {columns} by {rows} cells has no points"), &[rows, columns]));
        }
        Ok(Grid { x, y, columns, rows })
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The middle of one cell: its x and its y.
    pub fn point(&self, cell: usize) -> [f64; 2] {
        let middle = |(low, high): (f64, f64), at: usize, n: usize| low + (high - low) * (at as f64 + 0.5) / n as f64;
        let (row, column) = (cell / self.columns, cell % self.columns);
        [middle(self.x, column, self.columns), middle((self.y.1, self.y.0), row, self.rows)]
    }

    /// All points, `[rows · columns, 2]`.
    pub fn points(&self) -> Matrix {
        Matrix::of(2, (0..self.rows * self.columns).flat_map(|cell| self.point(cell)).collect())
    }

    /// The class of each point: decision regions.
    ///
    /// # Errors
    /// [`Error::Shape`] where the model was not fitted to two features.
    pub fn predict(&self, model: &impl Classifier) -> Result<Vec<u32>> {
        model.predict(&self.points())
    }

    /// The probability of each class at each point, `[rows · columns, n_classes]`. One [column](Matrix::column) makes a
    /// heat map.
    ///
    /// # Errors
    /// [`Error::Shape`] where the model was not fitted to two features.
    pub fn probabilities(&self, model: &impl Probabilities) -> Result<Matrix> {
        model.probabilities(&self.points())
    }

    /// The decision function at each point.
    ///
    /// # Errors
    /// [`Error::Shape`] where the model was not fitted to two features.
    pub fn decision(&self, model: &impl Decision) -> Result<Matrix> {
        model.decision(&self.points())
    }
}
