//! Synthetic data for classification.

use super::matrix::Matrix;
use super::split::Samples;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Normally distributed points around random centres, one class for each. scikit-learn's `make_blobs`: the
/// distributions are the same, but the points differ for the same seed, since the random numbers are not NumPy's.
#[derive(Debug, Clone)]
pub struct Blobs {
    /// Points in all, spread evenly over the centres. Defaults to 100.
    pub samples: usize,
    /// The number of centres, each drawn uniformly from -10 to 10. Defaults to 3.
    pub centers: usize,
    /// The number of features. Defaults to 2.
    pub features: usize,
    /// The standard deviation of the points around their centre. Defaults to 1.
    pub std: f64,
    /// The seed. Defaults to 42.
    pub seed: u64,
}

impl Default for Blobs {
    fn default() -> Blobs {
        Blobs { samples: 100, centers: 3, features: 2, std: 1.0, seed: 42 }
    }
}

impl Blobs {
    /// The points, in random order.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are no samples, centres or features, [`Error::Config`] where the deviation is
    /// negative or not finite.
    pub fn make(&self) -> Result<Samples> {
        let Blobs { samples, centers, features, std, seed } = *self;
        if samples == 0 || centers == 0 || features == 0 {
            let what =
                format!("{samples} samples, {centers} centres and {features} features: expected at least 1 of each");
            return Err(Error::shape(what, &[samples, centers, features]));
        }
        if !(std >= 0.0 && std.is_finite()) {
            return Err(Error::config("std", format!("the standard deviation must be 0 or more, got {std}")));
        }
        let root = Rng::new(seed).stream("blobs");
        let mut place = root.stream("centers");
        let centres: Vec<f64> = (0..centers * features).map(|_| place.uniform(-10.0, 10.0)).collect();
        let mut noise = root.stream("points");
        let mut ys: Vec<u32> = (0..samples).map(|i| (i % centers) as u32).collect();
        root.stream("order").shuffle(&mut ys);
        let point = |y: &u32| centres[*y as usize * features..][..features].iter();
        let values = ys.iter().flat_map(point).map(|centre| centre + std * noise.normal()).collect();
        Ok(Samples { xs: Matrix::of(features, values), ys })
    }
}
