//! What linear models share: weights and intercepts, how they are found, and the scores that they give.

use super::checks;
use super::loss::Loss;
use super::matrix::Matrix;
use super::newton::{FitReport, Problem, Solution};
use super::products::{add_scaled, dot, norm, scores, weighted_sums};
use super::row_space::RowSpace;
use super::rows::Dense;
use super::sparse::{SparseMatrix, SparseRows};
use crate::error::Result;

/// Weights and intercepts, one row of each for two classes, else one for each class.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    pub(super) coef: Matrix,
    pub(super) intercept: Vec<f64>,
    pub(super) fit: FitReport,
    /// Whether there was a penalty.
    pub(super) is_held: bool,
}

/// How long to look for the optimum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) c: f64,
    pub(super) tol: f64,
    pub(super) max_iter: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { c: 1.0, tol: 1e-6, max_iter: 100 }
    }
}

impl Limits {
    /// # Errors
    /// Where a limit is not a positive number. `C` may be infinite.
    pub(super) fn check(&self) -> Result<()> {
        if self.c != f64::INFINITY {
            checks::positive("C", self.c)?;
        }
        checks::positive("tol", self.tol)
    }

    /// What the losses and what the penalty count: with an infinite `C` there is none.
    fn terms(&self) -> (f64, f64) {
        if self.c == f64::INFINITY { (1.0, 0.0) } else { (self.c, 1.0) }
    }
}

impl Linear {
    /// Fits weights to sound data. Where there are more features than rows, in the smaller space of the rows.
    pub(super) fn fit(xs: &Matrix, loss: &impl Loss, limits: Limits) -> Result<Linear> {
        let width = xs.columns();
        let Limits { tol, max_iter, .. } = limits;
        let (c, penalty) = limits.terms();
        // An intercept without a penalty takes up any shift of the columns. Without their means, which may be a
        // thousand times what varies around them, rounding has little to take away.
        let means = means(xs);
        let centred: Vec<f64> = xs.values().chunks_exact(width).flat_map(|row| differences(row, &means)).collect();
        let solve = |rows: &[f64], width: usize| -> Result<Solution> {
            Problem { rows: &Dense { rows, width }, loss, c, penalty, tol, max_iter }.solve()
        };
        if width <= xs.rows() {
            let solution = solve(&with_ones(&centred, width), width + 1)?;
            let (coef, intercept) = split_ones(&solution.weights, width);
            let linear =
                Linear { coef: Matrix::of(width, coef), intercept, fit: solution.report, is_held: penalty > 0.0 };
            return Ok(linear.shifted(&means));
        }
        let table = Matrix::of(width, centred);
        let in_space = |space: &RowSpace| -> Result<Linear> {
            let solution = solve(&with_ones(&space.rows, space.rank), space.rank + 1)?;
            let (small, intercept) = split_ones(&solution.weights, space.rank);
            let coef = space.weights_of_features(&small, table.values(), width);
            let mut linear =
                Linear { coef: Matrix::of(width, coef), intercept, fit: solution.report, is_held: penalty > 0.0 };
            // The small space may have lost something: what counts is the gradient in that of the features.
            let there = linear.fit.gradient_norm;
            linear.fit.gradient_norm = linear.gradient_norm(&table, loss, (c, penalty));
            linear.fit.converged &= linear.fit.gradient_norm <= 10.0 * there.max(tol);
            Ok(linear)
        };
        let linear = in_space(&RowSpace::of(table.values(), width))?;
        if linear.fit.converged {
            return Ok(linear.shifted(&means));
        }
        let exact = in_space(&RowSpace::by_reflections(table.values(), width))?;
        let better = if exact.fit.gradient_norm < linear.fit.gradient_norm { exact } else { linear };
        Ok(better.shifted(&means))
    }

    /// The model of rows from which `means` were not taken away.
    fn shifted(mut self, means: &[f64]) -> Linear {
        for (intercept, weights) in self.intercept.iter_mut().zip(self.coef.iter()) {
            *intercept -= dot(weights, means);
        }
        self
    }

    /// The same of sparse rows.
    pub(super) fn fit_sparse(xs: &SparseMatrix, loss: &impl Loss, limits: Limits) -> Result<Linear> {
        let Limits { tol, max_iter, .. } = limits;
        let (c, penalty) = limits.terms();
        let width = xs.columns();
        let solution = Problem { rows: &SparseRows::with_ones(xs), loss, c, penalty, tol, max_iter }.solve()?;
        let (coef, intercept) = split_ones(&solution.weights, width);
        Ok(Linear { coef: Matrix::of(width, coef), intercept, fit: solution.report, is_held: penalty > 0.0 })
    }

    /// The length of the gradient in the space of the features.
    fn gradient_norm(&self, xs: &Matrix, loss: &impl Loss, (c, penalty): (f64, f64)) -> f64 {
        let outputs = loss.outputs();
        let (scores, mut state) = (self.scores(xs), vec![0.0; outputs]);
        let mut gradients = vec![0.0; scores.values().len()];
        for (sample, (scores, gradient)) in scores.iter().zip(gradients.chunks_exact_mut(outputs)).enumerate() {
            loss.gradient(sample, scores, gradient, &mut state);
        }
        let mut gradient: Vec<f64> = self.coef.values().iter().map(|w| penalty * w).collect();
        add_scaled(&mut gradient, c, &weighted_sums(xs.values(), xs.columns(), &gradients, outputs));
        gradient.extend((0..outputs).map(|k| c * gradients.iter().skip(k).step_by(outputs).sum::<f64>()));
        norm(&gradient)
    }

    /// `xs · coefᵀ + intercept`, `[N, outputs]`.
    pub(super) fn scores(&self, xs: &Matrix) -> Matrix {
        let mut scores = scores(xs.values(), xs.columns(), self.coef.values());
        for row in scores.chunks_exact_mut(self.intercept.len()) {
            row.iter_mut().zip(&self.intercept).for_each(|(score, b)| *score += b);
        }
        Matrix::of(self.intercept.len(), scores)
    }

    /// The same of sparse rows.
    pub(super) fn sparse_scores(&self, xs: &SparseMatrix) -> Matrix {
        let each: Vec<Vec<f64>> = self.coef.iter().map(|weights| xs.times(weights)).collect();
        let row = |row: usize| each.iter().zip(&self.intercept).map(move |(scores, b)| scores[row] + b);
        Matrix::of(each.len(), (0..xs.rows()).flat_map(row).collect())
    }

    pub(super) fn warning(&self, what: &str) -> Option<String> {
        let FitReport { iterations, gradient_norm, converged } = self.fit;
        (!converged).then(|| {
            let remedy = match self.is_held {
                true => "scale the features, or raise max_iter",
                false => "without a penalty there is no optimum where the classes can be told apart; make C finite",
            };
            format!(
                "{what} did not converge: after {iterations} steps the gradient's norm is {gradient_norm:.1e}; {remedy}"
            )
        })
    }
}

/// The mean of each column.
fn means(xs: &Matrix) -> Vec<f64> {
    let share = 1.0 / xs.rows() as f64;
    let first = weighted_sums(xs.values(), xs.columns(), &vec![share; xs.rows()], 1);
    // Once more, of what is left: the sum of large numbers is rounded as they are.
    let left: Vec<f64> = xs.iter().flat_map(|row| differences(row, &first)).collect();
    let second = weighted_sums(&left, xs.columns(), &vec![share; xs.rows()], 1);
    first.iter().zip(second).map(|(mean, more)| mean + more).collect()
}

fn differences<'a>(row: &'a [f64], means: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    row.iter().zip(means).map(|(x, mean)| x - mean)
}

/// Rows with a constant 1 at their ends.
fn with_ones(rows: &[f64], width: usize) -> Vec<f64> {
    rows.chunks_exact(width).flat_map(|row| row.iter().chain(&[1.0])).copied().collect()
}

/// Weights without the constant's, and those of the constant.
fn split_ones(weights: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = || weights.chunks_exact(width + 1);
    (rows().flat_map(|w| &w[..width]).copied().collect(), rows().map(|w| w[width]).collect())
}
