//! How much samples count.

use super::checks;
use crate::error::{Error, Result};

/// How much the samples of each class count in a fit: scikit-learn's `class_weight`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ClassWeight {
    /// All samples count alike.
    #[default]
    Equal,
    /// All classes count alike: a sample of a class with `n_c` of all `n` samples counts `n / (n_classes · n_c)`, which
    /// is 1 on average. Where samples have weights, these are summed in place of the samples.
    Balanced,
    /// Classes with their weights; those that are not named count 1.
    Each(Vec<(u32, f64)>),
}

impl ClassWeight {
    /// The weight of each sample, of which `sample_weight` may have one already.
    ///
    /// # Errors
    /// Where weights are negative or not finite, or there is not one for each sample, or none above 0, or a class is
    /// named that no sample has.
    pub(super) fn of_samples(&self, classes: &[u32], ys: &[u32], sample_weight: Option<&[f64]>) -> Result<Vec<f64>> {
        let mut weights = sample_weight.map_or_else(|| vec![1.0; ys.len()], <[f64]>::to_vec);
        if weights.len() != ys.len() {
            let message =
                format!("{} weights and {} labels: expected one weight for each row", weights.len(), ys.len());
            return Err(Error::shape(message, &[weights.len()]));
        }
        let is_weight = |weight: &f64| weight.is_finite() && *weight >= 0.0;
        if let Some(row) = weights.iter().position(|weight| !is_weight(weight)) {
            let message = format!("the weight of row {row} is {}: expected a number of 0 or more", weights[row]);
            return Err(Error::Value(message));
        }
        let places = checks::places(classes, ys);
        let mut sums = vec![0.0; classes.len()];
        places.iter().zip(&weights).for_each(|(&place, weight)| sums[place] += weight);
        if let Some(class) = sums.iter().position(|sum| *sum == 0.0) {
            let message = format!("all samples of class {} have a weight of 0: leave them out", classes[class]);
            return Err(Error::Value(message));
        }
        let factors: Vec<f64> = match self {
            ClassWeight::Equal => return Ok(weights),
            ClassWeight::Balanced => {
                let all: f64 = sums.iter().sum();
                sums.iter().map(|sum| all / (classes.len() as f64 * sum)).collect()
            }
            ClassWeight::Each(each) => {
                let mut factors = vec![1.0; classes.len()];
                for (class, weight) in each {
                    let wrong = |what: String| Error::config("class_weight", what);
                    let place = classes.binary_search(class);
                    let place = place.map_err(|_| wrong(format!("no sample is of class {class}")))?;
                    if !is_weight(weight) || *weight == 0.0 {
                        return Err(wrong(format!("expected a number above 0 for class {class}, got {weight}")));
                    }
                    factors[place] = *weight;
                }
                factors
            }
        };
        weights.iter_mut().zip(places).for_each(|(weight, place)| *weight *= factors[place]);
        Ok(weights)
    }
}
