//! Random erasing.

use super::ChannelPlanes;
use crate::error::{Error, Result};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// The values of an erased rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Zeros, the mean of normalised values: torchvision's default.
    #[default]
    Zeros,
    /// Standard normal noise, as in fast.ai.
    Noise,
}

/// Erases a random rectangle of a normalised image (Zhong et al., *Random Erasing Data Augmentation*, 2017).
/// torchvision's `RandomErasing`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomErasing {
    /// The probability that an image is changed; 0.5 by default.
    pub p: f64,
    /// The smallest and largest fraction of the area; 0.02 and 0.33 by default.
    pub scale: (f64, f64),
    /// The smallest and largest aspect ratio, height by width, whose logarithm is uniform; 0.3 and 3.3 by default.
    pub ratio: (f64, f64),
    /// The values in the rectangle; zeros by default.
    pub fill: Fill,
}

impl Default for RandomErasing {
    /// torchvision's defaults.
    fn default() -> RandomErasing {
        RandomErasing { p: 0.5, scale: (0.02, 0.33), ratio: (0.3, 3.3), fill: Fill::Zeros }
    }
}

impl RandomErasing {
    /// Erases a random rectangle with probability `p`.
    ///
    /// # Errors
    /// [`Error::Config`] when a range is not one of positive numbers.
    pub fn apply(&self, mut planes: ChannelPlanes, rng: &mut Rng) -> Result<ChannelPlanes> {
        let is_range = |(low, high): (f64, f64)| low > 0.0 && low <= high && high.is_finite();
        if !is_range(self.scale) || !is_range(self.ratio) {
            return Err(Error::config(
                "scale",
                format!(
                    "random erasing: scale {:?} and ratio {:?} must be ranges of positive numbers",
                    self.scale, self.ratio
                ),
            ));
        }
        if rng.uniform(0.0, 1.0) >= self.p {
            return Ok(planes);
        }
        let (w, h) = (planes.width(), planes.height());
        let (low, high) = (libm::log(self.ratio.0), libm::log(self.ratio.1));
        for _ in 0..10 {
            let area = (w * h) as f64 * rng.uniform(self.scale.0, self.scale.1);
            let ratio = libm::exp(rng.uniform(low, high));
            let height = (area * ratio).sqrt().round_ties_even() as usize;
            let width = (area / ratio).sqrt().round_ties_even() as usize;
            if height < h && width < w {
                let (top, left) = (rng.below(h - height + 1), rng.below(w - width + 1));
                for (i, row) in planes.values_mut().chunks_exact_mut(w).enumerate() {
                    if (top..top + height).contains(&(i % h)) {
                        row[left..left + width].iter_mut().for_each(|v| *v = self.value(rng));
                    }
                }
                break;
            }
        }
        Ok(planes)
    }

    fn value(&self, rng: &mut Rng) -> f32 {
        match self.fill {
            Fill::Zeros => 0.0,
            Fill::Noise => rng.normal() as f32,
        }
    }
}
