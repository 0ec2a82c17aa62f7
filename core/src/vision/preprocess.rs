//! The images that published weights want.

use super::{CenterCrop, Compose, Interpolation, Normalize, Resize};
use serde::{Deserialize, Serialize};

/// From a photo to what a network takes: shrink the shorter side to `resize`, cut out the middle `size` x `size`, scale
/// to 0..=1, subtract `mean`, divide by `std`. torchvision's `weights.transforms()`, timm's `data_config`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Height and width of the network's input, in pixels.
    pub size: usize,
    /// The photo's shorter side before the middle is cut out, in pixels.
    pub resize: usize,
    /// How to resize.
    pub interpolation: Interpolation,
    /// Means of red, green and blue.
    pub mean: [f32; 3],
    /// Standard deviations of red, green and blue.
    pub std: [f32; 3],
}

impl Preprocess {
    /// The normalisation alone.
    pub fn normalize(&self) -> Normalize {
        Normalize { mean: self.mean, std: self.std }
    }

    /// All of it as transforms.
    pub fn transforms(&self) -> Compose {
        let shrink = Resize::short_side(self.resize).interpolation(self.interpolation);
        Compose::new().then(shrink).then(CenterCrop::new(self.size)).then(self.normalize())
    }
}
