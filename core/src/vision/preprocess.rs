//! The preprocessing that published weights need.

use super::{CenterCrop, Compose, Interpolation, Normalize, Resize};
use serde::{Deserialize, Serialize};

/// The preprocessing of images for published weights: the shorter side is resized to `resize`, the centre of `size` x
/// `size` is cropped, and values from 0 to 1 are normalised by `mean` and `std`. torchvision's `weights.transforms()`,
/// timm's `data_config`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Height and width of the network's input, in pixels.
    pub size: usize,
    /// The length of the shorter side before the centre crop, in pixels.
    pub resize: usize,
    /// The interpolation of the resizing.
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

    /// The whole preprocessing as transforms.
    pub fn transforms(&self) -> Compose {
        let shrink = Resize::short_side(self.resize).interpolation(self.interpolation);
        Compose::new().then(shrink).then(CenterCrop::new(self.size)).then(self.normalize())
    }
}
