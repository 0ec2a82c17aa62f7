//! Standardisation of features.

use super::checks;
use super::matrix::Matrix;
use super::pipeline::{Transform, Transformer};
use super::products::map;
use crate::error::{Error, Result};

/// Standardisation of each feature, `(x - mean) / std`, with the biased standard deviation (divisor `N`). A constant
/// feature is shifted only. scikit-learn's `StandardScaler`.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardScaler;

/// A fitted [`StandardScaler`].
#[derive(Debug, Clone)]
pub struct FittedScaler {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

/// Columns that one task sums up.
const CHUNK: usize = 512;

impl Transformer for StandardScaler {
    type Fitted = FittedScaler;

    fn fit(&self, xs: &Matrix) -> Result<FittedScaler> {
        if xs.rows() == 0 {
            return Err(Error::shape("0 samples: there is nothing to fit to", &[0, xs.columns()]));
        }
        checks::finite(xs)?;
        let n = xs.rows() as f64;
        let parts = map(xs.columns().div_ceil(CHUNK), |chunk| {
            let columns = chunk * CHUNK..xs.columns().min((chunk + 1) * CHUNK);
            let mut mean = vec![0.0; columns.len()];
            for row in xs.iter() {
                mean.iter_mut().zip(&row[columns.clone()]).for_each(|(m, x)| *m += x);
            }
            mean.iter_mut().for_each(|m| *m /= n);
            let (mut squares, mut rests) = (vec![0.0; mean.len()], vec![0.0; mean.len()]);
            for row in xs.iter() {
                let sums = squares.iter_mut().zip(rests.iter_mut());
                for ((square, rest), (x, m)) in sums.zip(row[columns.clone()].iter().zip(&mean)) {
                    *square += (x - m) * (x - m);
                    *rest += x - m;
                }
            }
            // What rounding left of the deviations' sum belongs to the mean, not to the variance (Chan et al., 1983).
            let variance = squares.iter().zip(&rests).map(|(square, rest)| (square - rest * rest / n) / n);
            let scale: Vec<f64> = variance.zip(&mean).map(|(variance, mean)| scale(variance, *mean, n)).collect();
            (mean, scale)
        });
        let (mean, scale): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Ok(FittedScaler { mean: mean.concat(), scale: scale.concat() })
    }
}

/// The deviation, or 1 for a feature that varies no more than rounding makes it.
fn scale(variance: f64, mean: f64, n: f64) -> f64 {
    let rounding = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
    if variance <= rounding { 1.0 } else { variance.sqrt() }
}

impl FittedScaler {
    /// The mean of each feature: `mean_`.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The divisor of each feature: `scale_`.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }
}

impl Transform for FittedScaler {
    fn n_features(&self) -> usize {
        self.mean.len()
    }

    fn transform(&self, xs: &Matrix) -> Result<Matrix> {
        checks::width(self.mean.len(), xs)?;
        let mut scaled = xs.clone();
        for row in scaled.values_mut().chunks_exact_mut(self.mean.len()) {
            for ((x, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *x = (*x - mean) / scale;
            }
        }
        Ok(scaled)
    }
}
