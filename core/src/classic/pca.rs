//! Principal component analysis.

use super::Matrix;
use crate::error::{Error, Result};

/// Principal component analysis: the orthogonal directions of largest variance. scikit-learn's `PCA`.
///
/// ```
/// use tallow::classic::{Matrix, Pca};
///
/// // Points near a line.
/// let xs = Matrix::from_rows(&[[0.0, 0.1], [1.0, 0.9], [2.0, 2.1], [3.0, 2.9]])?;
/// let pca = Pca::fit(&xs, 1)?;
/// assert!(pca.shares[0] > 0.99 && (pca.components.row(0)[0] - 0.5f64.sqrt()).abs() < 0.05);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// The mean of the samples.
    pub mean: Vec<f64>,
    /// Directions of length 1, a row each, the one in which samples differ most first. The entry of a row that is
    /// farthest from 0 is positive, so that the signs are no accident.
    pub components: Matrix,
    /// The variance along each, with divisor `n - 1`: `explained_variance_`.
    pub variances: Vec<f64>,
    /// The fraction of the total variance along each: `explained_variance_ratio_`.
    pub shares: Vec<f64>,
}

impl Pca {
    /// The first `n_components` directions.
    ///
    /// # Errors
    /// When there are fewer than two samples, fewer columns than components, or values that are not finite.
    pub fn fit(xs: &Matrix, n_components: usize) -> Result<Pca> {
        let (n, d) = (xs.rows(), xs.columns());
        if n < 2 || n_components == 0 || n_components > d || xs.values().iter().any(|x| !x.is_finite()) {
            let message = format!(
                "{n_components} principal components of {n} samples with {d} values: expected at least 2 samples of \
                 finite numbers, and from 1 to {d} components"
            );
            return Err(Error::shape(message, &[n, d]));
        }
        let mut mean = vec![0.0; d];
        xs.iter().for_each(|row| mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / n as f64));
        let mut covariance = vec![0.0; d * d];
        for row in xs.iter() {
            let centred: Vec<f64> = row.iter().zip(&mean).map(|(x, mean)| x - mean).collect();
            for (i, a) in centred.iter().enumerate() {
                let row = &mut covariance[i * d..(i + 1) * d];
                row.iter_mut().zip(&centred).for_each(|(sum, b)| *sum += a * b / (n - 1) as f64);
            }
        }
        let total: f64 = (0..d).map(|i| covariance[i * d + i]).sum();
        let mut found = eigen(&mut covariance, d);
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.truncate(n_components);
        let variances: Vec<f64> = found.iter().map(|(variance, _)| variance.max(0.0)).collect();
        let shares = variances.iter().map(|v| if total > 0.0 { v / total } else { 0.0 }).collect();
        let rows: Vec<Vec<f64>> = found.into_iter().map(|(_, direction)| signed(direction)).collect();
        Ok(Pca { mean, components: Matrix::from_rows(&rows)?, variances, shares })
    }

    /// The coordinates of samples along the components, a row for each sample.
    ///
    /// # Errors
    /// When samples have another number of values.
    pub fn transform(&self, xs: &Matrix) -> Result<Matrix> {
        if xs.columns() != self.mean.len() {
            let (got, expected) = (xs.columns(), self.mean.len());
            return Err(Error::shape(format!("samples of {got} values, expected {expected}"), &[xs.rows(), got]));
        }
        let along = |row: &[f64], direction: &[f64]| -> f64 {
            row.iter().zip(&self.mean).zip(direction).map(|((x, mean), d)| (x - mean) * d).sum()
        };
        let values = xs.iter().flat_map(|row| self.components.iter().map(move |direction| along(row, direction)));
        Matrix::new(xs.rows(), self.components.rows(), values.collect())
    }
}

fn signed(mut direction: Vec<f64>) -> Vec<f64> {
    let largest = direction.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
    if largest < 0.0 {
        direction.iter_mut().for_each(|x| *x = -*x);
    }
    direction
}

/// Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations: each makes one value beside the diagonal
/// 0, sweep by sweep, until nothing is left there.
fn eigen(a: &mut [f64], d: usize) -> Vec<(f64, Vec<f64>)> {
    let mut vectors: Vec<Vec<f64>> = (0..d).map(|i| (0..d).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..100 {
        let beside: f64 = (0..d).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * d + j].powi(2)).sum();
        let all: f64 = a.iter().map(|x| x * x).sum();
        if beside <= 1e-30 * all {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                let off = a[p * d + q];
                if off == 0.0 {
                    continue;
                }
                let theta = (a[q * d + q] - a[p * d + p]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..d {
                    let (x, y) = (a[k * d + p], a[k * d + q]);
                    (a[k * d + p], a[k * d + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..d {
                    let (x, y) = (a[p * d + k], a[q * d + k]);
                    (a[p * d + k], a[q * d + k]) = (c * x - s * y, s * x + c * y);
                    let (x, y) = (vectors[p][k], vectors[q][k]);
                    (vectors[p][k], vectors[q][k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    vectors.into_iter().enumerate().map(|(i, vector)| (a[i * d + i], vector)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_diagonalise_the_covariance() {
        let xs = Matrix::from_rows(&[[2.0, 0.0, 1.0], [0.0, 1.0, 3.0], [4.0, 2.0, 2.0], [1.0, 5.0, 0.0]]).unwrap();
        let pca = Pca::fit(&xs, 3).unwrap();
        let along = pca.transform(&xs).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let (a, b) = (along.column(i), along.column(j));
                let covariance: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>() / 3.0;
                let want = if i == j { pca.variances[i] } else { 0.0 };
                assert!((covariance - want).abs() < 1e-12, "{i} {j}: {covariance} instead of {want}");
                let product: f64 = pca.components.row(i).iter().zip(pca.components.row(j)).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        assert!(pca.variances[0] >= pca.variances[1] && pca.variances[1] >= pca.variances[2]);
        // The trace of the covariance: 35/12 + 14/3 + 5/3.
        assert!((pca.variances.iter().sum::<f64>() - (35.0 / 12.0 + 14.0 / 3.0 + 5.0 / 3.0)).abs() < 1e-12);
        assert!((pca.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_components_is_refused() {
        let xs = Matrix::from_rows(&[[1.0, 2.0], [3.0, f64::NAN]]).unwrap();
        assert!(Pca::fit(&xs, 1).is_err());
        let xs = Matrix::from_rows(&[[1.0, 2.0], [1.0, 2.0]]).unwrap();
        assert!(Pca::fit(&xs, 0).is_err() && Pca::fit(&xs, 3).is_err());
        let pca = Pca::fit(&xs, 2).unwrap();
        assert_eq!((pca.shares.clone(), pca.transform(&xs).unwrap().values()), (vec![0.0; 2], &[0.0; 4][..]));
        assert!(pca.transform(&Matrix::from_rows(&[[1.0]]).unwrap()).is_err());
    }
}
