//! Drawings in folders by class.

use super::Sample;
use super::cut_outs::decoded;
use crate::error::{Error, Result};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, Rgb, RgbImage};
use rayon::prelude::*;
use tallow_datasets::drawings::{self, Drawing};

/// Drawings of birds, bugs, flowers, fruit, mammals and vehicles, in a folder for each class: 335 WebP files. Some are
/// in the wrong class ([`tallow_datasets::drawings`]).
///
/// The collection's files are transparent around the drawing. Here they stand on white, since readers of pictures,
/// ours and Pillow's `convert("RGB")` among them, show the colours that are hidden under transparency.
pub fn drawings() -> Sample {
    let files = drawings::all().into_par_iter().map(|drawing| {
        let path = format!("{}/{}", drawing.class, drawing.name);
        (path, on_white(&drawing).unwrap_or_else(|_| drawing.bytes.to_vec()))
    });
    Sample {
        about: "335 drawings in six classes, of Debian's package openclipart-png 0.18, put on white. Their authors \
                gave them to the public domain. The classes are the collection's folders; some drawings are in the \
                wrong one."
            .into(),
        files: files.collect(),
    }
}

/// A drawing over white, as a lossless WebP.
fn on_white(drawing: &Drawing) -> Result<Vec<u8>> {
    let transparent = decoded(drawing)?;
    let opaque = RgbImage::from_fn(transparent.width(), transparent.height(), |x, y| {
        let [r, g, b, alpha] = transparent.get_pixel(x, y).0.map(u32::from);
        Rgb([r, g, b].map(|level| ((level * alpha + 255 * (255 - alpha) + 127) / 255) as u8))
    });
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .encode(&opaque, opaque.width(), opaque.height(), ExtendedColorType::Rgb8)
        .map_err(|error| Error::file(drawing.name, error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drawing_stands_on_white() {
        let (sample, all) = (drawings(), drawings::all());
        assert_eq!(sample.files.len(), all.len());
        for ((path, bytes), drawing) in sample.files.iter().zip(all) {
            let (opaque, transparent) = (image::load_from_memory(bytes).unwrap(), decoded(&drawing).unwrap());
            assert!(!opaque.color().has_alpha(), "{path}");
            let opaque = opaque.to_rgb8();
            for (to, from) in opaque.pixels().zip(transparent.pixels()) {
                match from.0 {
                    [.., 0] => assert_eq!(to.0, [255; 3], "{path}"),
                    [r, g, b, 255] => assert_eq!(to.0, [r, g, b], "{path}"),
                    _ => {}
                }
            }
        }
    }
}
