//! Pixels in the size in which they are shown, and as a PNG.

use image::codecs::png::{CompressionType, FilterType as RowFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

use super::scene::Pixels;
use crate::error::{Error, Result};

/// Pixels of a PNG in one CSS pixel.
pub(super) const PNG_SCALE: u32 = 2;

/// The shorter of two encodings: row filters halve a photo and double a diagram.
pub(super) fn encode_png(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let encoded = |filter| {
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, filter);
        let written = encoder.write_image(rgb, width, height, ExtendedColorType::Rgb8);
        written.map(|()| bytes).map_err(|error| Error::Value(format!("cannot encode a PNG: {error}")))
    };
    let (plain, filtered) = (encoded(RowFilter::NoFilter)?, encoded(RowFilter::Adaptive)?);
    Ok(if plain.len() <= filtered.len() { plain } else { filtered })
}

/// The image in another size: pixels repeated where it grows, averaged where it shrinks.
pub(super) fn resized(pixels: &Pixels, width: u32, height: u32) -> Vec<u8> {
    let shrinks = width < pixels.width || height < pixels.height;
    let Some(image) = RgbImage::from_raw(pixels.width, pixels.height, pixels.rgb.clone()) else {
        return vec![255; width as usize * height as usize * 3];
    };
    imageops::resize(&image, width, height, if shrinks { FilterType::Triangle } else { FilterType::Nearest }).into_raw()
}
