//! Finding the pixels between pixels.

use serde::{Deserialize, Serialize};

/// How the value between pixels is found. Pillow's resampling filters and torchvision's `InterpolationMode`; resizing
/// with [`Interpolation::Bilinear`] and [`Interpolation::Bicubic`] is antialiased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The pixel that the point lies in: for masks, whose values must not be mixed.
    Nearest,
    /// Linear in both directions: a triangle two pixels wide, in the smaller of the two images when resizing.
    #[default]
    Bilinear,
    /// Cubic in both directions, four pixels wide.
    Bicubic,
}
