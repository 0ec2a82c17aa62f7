//! Interpolation between pixels.

use serde::{Deserialize, Serialize};

/// The interpolation between pixels: torchvision's `InterpolationMode`, with Pillow's filters. Resizing with
/// [`Interpolation::Bilinear`] and [`Interpolation::Bicubic`] is antialiased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest pixel: for masks, whose values must not be mixed.
    Nearest,
    /// Linear in both directions: a triangle filter, two pixels wide in the smaller of the two images when resizing.
    #[default]
    Bilinear,
    /// Cubic in both directions: a filter four pixels wide (Keys, 1981, with `a = -0.5`).
    Bicubic,
}

/// The places among `all` of the nearest pixels when these become `n`. As in Pillow, each step is added to the sum of
/// those before it, so that its rounding is ours.
pub(super) fn nearest_places(all: usize, n: usize) -> Vec<usize> {
    let step = all as f64 / n as f64;
    let mut at = step * 0.5;
    let mut place = || {
        let here = (at as usize).min(all - 1);
        at += step;
        here
    };
    (0..n).map(|_| place()).collect()
}
