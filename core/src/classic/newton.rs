//! Newton's method for linear models: `½‖w‖² + C · Σ loss`, intercepts free of the penalty, or `Σ loss` alone.
//!
//! Each step solves the model's own quadratic approximation, exactly by Cholesky's factorisation where there are few
//! unknowns, else to a falling tolerance by conjugate gradients (Nocedal and Wright, *Numerical Optimization*, chapters
//! 3 and 7), and goes along it as far as the objective falls. It stops where the gradient is short and a further step
//! would gain next to nothing of the objective: how short a gradient is short depends on `C` and on the features'
//! scale, and that share does not.

use super::cholesky;
use super::loss::Loss;
use super::products::{add_scaled, dot, map, norm};
use super::rows::Rows;
use crate::error::{Error, Result};

/// As many unknowns as are solved for exactly.
const DIRECT: usize = 1000;

/// Samples that one task goes through.
const BLOCK: usize = 256;

/// An objective, and how well it is to be minimised.
pub(super) struct Problem<'a, R, L> {
    /// The samples; the last feature is the constant 1, whose weight is the intercept.
    pub(super) rows: &'a R,
    pub(super) loss: &'a L,
    pub(super) c: f64,
    /// What `½‖w‖²` counts: 1, or 0.
    pub(super) penalty: f64,
    /// The length of the gradient at which to stop.
    pub(super) tol: f64,
    pub(super) max_iter: usize,
}

/// How the fit of a linear model ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitReport {
    /// Steps of Newton's method.
    pub iterations: usize,
    /// The length of the objective's gradient at the weights that the model has, intercepts included.
    pub gradient_norm: f64,
    /// Whether it is as short as was asked for, or as rounding allows.
    pub converged: bool,
}

/// Where the method stopped.
pub(super) struct Solution {
    /// `[outputs, width]`
    pub(super) weights: Vec<f64>,
    pub(super) report: FitReport,
}

/// The objective and its derivatives at some weights.
struct Point {
    scores: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    state: Vec<f64>,
}

impl<R: Rows, L: Loss> Problem<'_, R, L> {
    /// Starts from zero.
    ///
    /// # Errors
    /// Where the sums overflow.
    pub(super) fn solve(&self) -> Result<Solution> {
        let mut weights = vec![0.0; self.loss.outputs() * self.rows.width()];
        let mut point = self.at(&weights);
        let start = norm(&point.gradient);
        let mut iterations = 0;
        loop {
            let gradient_norm = norm(&point.gradient);
            if !gradient_norm.is_finite() || !point.value.is_finite() {
                let what =
                    "sums overflow while fitting: the features are too large, put a StandardScaler before the model";
                return Err(Error::Value(String::from(what)));
            }
            let stopped = |weights, converged| {
                let report = FitReport { iterations, gradient_norm, converged };
                Ok(Solution { weights: self.centred(weights), report })
            };
            if gradient_norm == 0.0 {
                return stopped(weights, true);
            }
            let step = self.step(&point, gradient_norm / start);
            // Twice what the step is to gain.
            let descent = -dot(&point.gradient, &step);
            if gradient_norm <= self.tol && descent <= self.tol * self.tol * point.value {
                return stopped(weights, true);
            }
            if iterations == self.max_iter {
                return stopped(weights, false);
            }
            // Below this the objective's own rounding hides whether it falls.
            let rounding = 1e-13 * point.value;
            let along = self.rows.scores(&step);
            let size =
                if descent <= rounding { Some(1.0) } else { self.step_size(&weights, &point, &step, &along, descent) };
            let Some(size) = size else { return stopped(weights, false) };
            let mut moved = weights.clone();
            add_scaled(&mut moved, size, &step);
            let next = self.at(&moved);
            // At the end of what rounding allows, the gradient does not get shorter: this is the optimum.
            if descent <= rounding && norm(&next.gradient) >= 0.5 * gradient_norm {
                return stopped(weights, true);
            }
            (weights, point) = (moved, next);
            iterations += 1;
        }
    }

    /// The same weights with a sum of the intercepts of 0. All of them together can rise without changing a
    /// probability.
    fn centred(&self, mut weights: Vec<f64>) -> Vec<f64> {
        let (outputs, width) = (self.loss.outputs(), self.rows.width());
        if outputs > 1 {
            let intercepts = || (width - 1..outputs * width).step_by(width);
            let mean = intercepts().map(|at| weights[at]).sum::<f64>() / outputs as f64;
            intercepts().for_each(|at| weights[at] -= mean);
        }
        weights
    }

    fn at(&self, weights: &[f64]) -> Point {
        let outputs = self.loss.outputs();
        let scores = self.rows.scores(weights);
        let blocks: Vec<&[f64]> = scores.chunks(BLOCK * outputs).collect();
        let parts = map(blocks.len(), |block| {
            let (mut sum, n) = (0.0, blocks[block].len());
            let (mut gradients, mut state) = (vec![0.0; n], vec![0.0; n]);
            let samples = blocks[block].chunks_exact(outputs).enumerate();
            for ((i, scores), (gradients, state)) in
                samples.zip(gradients.chunks_exact_mut(outputs).zip(state.chunks_exact_mut(outputs)))
            {
                sum += self.loss.value(block * BLOCK + i, scores);
                self.loss.gradient(block * BLOCK + i, scores, gradients, state);
            }
            (sum, gradients, state)
        });
        let loss: f64 = parts.iter().map(|part| part.0).sum();
        let gradients = parts.iter().flat_map(|part| &part.1).copied().collect::<Vec<f64>>();
        let state = parts.into_iter().flat_map(|part| part.2).collect();
        let mut gradient = self.rows.sums(&gradients, outputs);
        let (mut penalty, places) = (0.0, self.rows.width() - 1);
        for (gradient, weights) in
            gradient.chunks_exact_mut(self.rows.width()).zip(weights.chunks_exact(self.rows.width()))
        {
            gradient.iter_mut().for_each(|g| *g *= self.c);
            add_scaled(&mut gradient[..places], self.penalty, &weights[..places]);
            penalty += dot(&weights[..places], &weights[..places]);
        }
        Point { scores, value: 0.5 * self.penalty * penalty + self.c * loss, gradient, state }
    }

    /// Halves the step until the objective falls as a step of that size should make it (Armijo, 1966).
    fn step_size(&self, weights: &[f64], point: &Point, step: &[f64], along: &[f64], descent: f64) -> Option<f64> {
        (0..40).map(|halvings| 0.5_f64.powi(halvings)).find(|&size| {
            let mut moved = point.scores.clone();
            add_scaled(&mut moved, size, along);
            let mut moved_weights = weights.to_vec();
            add_scaled(&mut moved_weights, size, step);
            self.value(&moved_weights, &moved) <= point.value - 1e-4 * size * descent
        })
    }

    fn value(&self, weights: &[f64], scores: &[f64]) -> f64 {
        let outputs = self.loss.outputs();
        let blocks: Vec<&[f64]> = scores.chunks(BLOCK * outputs).collect();
        let parts = map(blocks.len(), |block| {
            let samples = blocks[block].chunks_exact(outputs).enumerate();
            samples.map(|(i, scores)| self.loss.value(block * BLOCK + i, scores)).sum::<f64>()
        });
        let places = self.rows.width() - 1;
        let penalty: f64 = weights.chunks_exact(self.rows.width()).map(|w| dot(&w[..places], &w[..places])).sum();
        0.5 * self.penalty * penalty + self.c * parts.into_iter().sum::<f64>()
    }

    /// Newton's step, by the method that suits the number of unknowns.
    fn step(&self, point: &Point, progress: f64) -> Vec<f64> {
        let exact = if point.gradient.len() <= DIRECT { self.exact_step(point) } else { None };
        exact.unwrap_or_else(|| self.truncated_step(point, progress))
    }

    /// The solution of `H step = -gradient`; none where `H` would be too large, or rounding makes it indefinite.
    fn exact_step(&self, point: &Point) -> Option<Vec<f64>> {
        let (outputs, width, n) = (self.loss.outputs(), self.rows.width(), point.gradient.len());
        let pairs: Vec<(usize, usize)> = (0..outputs).flat_map(|k| (0..=k).map(move |l| (k, l))).collect();
        let samples = || point.state.chunks_exact(outputs).enumerate();
        let hessians =
            |&(k, l): &(usize, usize)| samples().map(|(i, state)| self.loss.hessian(i, state, k, l)).collect();
        let squares = self.rows.squares(&pairs.iter().map(hessians).collect::<Vec<Vec<f64>>>())?;
        let mut hessian = vec![0.0; n * n];
        for (&(k, l), square) in pairs.iter().zip(&squares) {
            for a in 0..width {
                for b in 0..=a {
                    let value = self.c * square[a * width + b];
                    hessian[(k * width + a) * n + l * width + b] = value;
                    if k != l {
                        hessian[(k * width + b) * n + l * width + a] = value;
                    }
                }
            }
        }
        for at in 0..n {
            hessian[at * n + at] += self.own_penalty(at, hessian[at * n + at]);
        }
        if outputs > 1 {
            // The sum of weights that can rise together is held at 0, where it began.
            for column in self.first_free()..width {
                for k in (column..n).step_by(width) {
                    (column..=k).step_by(width).for_each(|l| hessian[k * n + l] += self.c);
                }
            }
        }
        let mut step: Vec<f64> = point.gradient.iter().map(|g| -g).collect();
        cholesky::factor(&mut hessian, n).then(|| {
            cholesky::solve(&hessian, n, &mut step);
            step
        })
    }

    /// Conjugate gradients with the diagonal of `H` as preconditioner, truncated while far from the optimum.
    fn truncated_step(&self, point: &Point, progress: f64) -> Vec<f64> {
        let diagonal = self.diagonal(point);
        let n = diagonal.len();
        let mut step = vec![0.0; n];
        let mut left: Vec<f64> = point.gradient.iter().map(|g| -g).collect();
        self.without_common_part(&mut left);
        let scaled = |left: &[f64]| left.iter().zip(&diagonal).map(|(r, d)| r / d).collect::<Vec<f64>>();
        let mut direction = scaled(&left);
        let mut length = dot(&left, &direction);
        let enough = norm(&left) * progress.sqrt().min(0.1);
        for _ in 0..2 * n.min(1000) {
            let mut product = self.hessian_vector_product(point, &direction);
            self.without_common_part(&mut product);
            let curvature = dot(&direction, &product);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            add_scaled(&mut step, length / curvature, &direction);
            add_scaled(&mut left, -length / curvature, &product);
            if norm(&left) <= enough {
                break;
            }
            let next = scaled(&left);
            let ratio = dot(&left, &next) / length;
            length *= ratio;
            for (d, n) in direction.iter_mut().zip(&next) {
                *d = n + ratio * *d;
            }
        }
        step
    }

    /// The first column whose weights can all rise together without changing a probability, as can those of the
    /// columns behind it: they have no penalty.
    fn first_free(&self) -> usize {
        if self.penalty == 0.0 { 0 } else { self.rows.width() - 1 }
    }

    /// Takes out of a gradient what rounding left of the sum over such weights, which is 0: where nothing curves, the
    /// smallest rest of it would be a step without end.
    fn without_common_part(&self, gradient: &mut [f64]) {
        let (outputs, width) = (self.loss.outputs(), self.rows.width());
        if outputs == 1 {
            return;
        }
        for column in self.first_free()..width {
            let mean = gradient.iter().skip(column).step_by(width).sum::<f64>() / outputs as f64;
            gradient.iter_mut().skip(column).step_by(width).for_each(|g| *g -= mean);
        }
    }

    /// `H` times a direction, without making `H`.
    fn hessian_vector_product(&self, point: &Point, direction: &[f64]) -> Vec<f64> {
        let outputs = self.loss.outputs();
        let along = self.rows.scores(direction);
        let mut products = vec![0.0; along.len()];
        let states = point.state.chunks_exact(outputs).zip(along.chunks_exact(outputs));
        for (i, (out, (state, along))) in products.chunks_exact_mut(outputs).zip(states).enumerate() {
            self.loss.hessian_vector_product(i, state, along, out);
        }
        let mut product = self.rows.sums(&products, outputs);
        for (product, direction) in
            product.chunks_exact_mut(self.rows.width()).zip(direction.chunks_exact(self.rows.width()))
        {
            product.iter_mut().for_each(|p| *p *= self.c);
            add_scaled(&mut product[..self.rows.width() - 1], self.penalty, &direction[..self.rows.width() - 1]);
        }
        product
    }

    fn diagonal(&self, point: &Point) -> Vec<f64> {
        let outputs = self.loss.outputs();
        let states = point.state.chunks_exact(outputs).enumerate();
        let own: Vec<f64> =
            states.flat_map(|(i, s)| (0..outputs).map(move |k| self.loss.hessian(i, s, k, k))).collect();
        let sums = self.rows.sums_of_squares(&own, outputs);
        let with_penalty = |(at, sum): (usize, &f64)| self.c * sum + self.own_penalty(at, self.c * sum);
        sums.iter().enumerate().map(with_penalty).collect()
    }

    /// What the penalty adds to a weight's curvature.
    fn own_penalty(&self, at: usize, curvature: f64) -> f64 {
        let is_free = self.penalty == 0.0 || at % self.rows.width() == self.rows.width() - 1;
        if is_free { hidden(curvature) } else { 1.0 }
    }
}

/// What the curvature of a weight without a penalty, such as an intercept's, gets more: as much as rounding hides, so
/// that it is above 0.
fn hidden(curvature: f64) -> f64 {
    1e-13 * curvature + f64::MIN_POSITIVE
}
