//! Flips, and conversion to grey.

use super::{ChannelPlanes, Image};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

impl Image {
    /// Mirrors the image, left and right. torchvision's `hflip`.
    #[must_use]
    pub fn flip_horizontal(mut self) -> Image {
        let row = self.width() * 3;
        for row in self.bytes_mut().chunks_exact_mut(row) {
            let (pixels, _) = row.as_chunks_mut::<3>();
            pixels.reverse();
        }
        self
    }

    /// Mirrors the image, top and bottom. torchvision's `vflip`.
    #[must_use]
    pub fn flip_vertical(self) -> Image {
        let (w, h) = (self.width(), self.height());
        let bytes = (0..h).rev().flat_map(|y| self.row(y)).copied().collect();
        Image::from_parts(w, h, bytes)
    }

    /// Converts to grey: all three channels become the luma of ITU-R 601-2, as in Pillow's `convert("L")`.
    #[must_use]
    pub fn greyscale(mut self) -> Image {
        for pixel in self.bytes_mut().chunks_exact_mut(3) {
            let [r, g, b] = [u32::from(pixel[0]), u32::from(pixel[1]), u32::from(pixel[2])];
            // Pillow's weights: 0.299, 0.587 and 0.114 in units of 1/65536.
            pixel.fill(((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8);
        }
        self
    }
}

impl ChannelPlanes {
    /// Mirrors the planes, left and right.
    #[must_use]
    pub fn flip_horizontal(mut self) -> ChannelPlanes {
        let width = self.width();
        self.values_mut().chunks_exact_mut(width).for_each(<[f32]>::reverse);
        self
    }

    /// Mirrors the planes, top and bottom.
    #[must_use]
    pub fn flip_vertical(self) -> ChannelPlanes {
        let (w, h) = (self.width(), self.height());
        let planes = self.values().chunks_exact(w * h);
        let values = planes.flat_map(|plane| plane.chunks_exact(w).rev().flatten()).copied().collect();
        ChannelPlanes::from_parts(w, h, values)
    }
}

/// A horizontal flip with probability `p`. torchvision's `RandomHorizontalFlip`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomHorizontalFlip {
    /// The probability of a flip, from 0 to 1.
    pub p: f64,
}

impl Default for RandomHorizontalFlip {
    /// Flips half of the images, as torchvision does by default.
    fn default() -> RandomHorizontalFlip {
        RandomHorizontalFlip { p: 0.5 }
    }
}

impl RandomHorizontalFlip {
    /// Whether this item is flipped.
    pub(super) fn draw(&self, rng: &mut Rng) -> bool {
        rng.uniform(0.0, 1.0) < self.p
    }
}

/// A vertical flip with probability `p`. torchvision's `RandomVerticalFlip`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomVerticalFlip {
    /// The probability of a flip, from 0 to 1.
    pub p: f64,
}

impl RandomVerticalFlip {
    /// Whether this item is flipped.
    pub(super) fn draw(&self, rng: &mut Rng) -> bool {
        rng.uniform(0.0, 1.0) < self.p
    }
}
