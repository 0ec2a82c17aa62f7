//! Drawings to be put on a background.

use crate::error::{Error, Result};
use image::imageops::{self, FilterType};
use image::{Rgba32FImage, RgbaImage};
use tallow_datasets::drawings::{self, Drawing};

/// The part of the drawings that validation scenes are made of: one in this many of each class.
const VALID: usize = 5;

/// A drawing of which this part is opaque has a background of its own.
const A_RECTANGLE: f64 = 0.97;

/// A drawing in colour with its alpha.
pub(super) struct CutOut {
    /// Its class's number among `classes`.
    pub(super) class: usize,
    /// Colours times alpha, and alpha; from 0 to 1.
    pixels: Rgba32FImage,
}

/// Drawings that training scenes are made of, and others for validation.
pub(super) struct CutOuts {
    pub(super) train: Vec<CutOut>,
    pub(super) valid: Vec<CutOut>,
}

impl CutOuts {
    /// The embedded drawings whose class is among `classes`, and that are not rectangles.
    pub(super) fn of(classes: &[&str]) -> Result<CutOuts> {
        let mut all = CutOuts { train: Vec::new(), valid: Vec::new() };
        let mut counts = vec![0; classes.len()];
        for drawing in drawings::all() {
            let Some(class) = classes.iter().position(|&class| class == drawing.class) else { continue };
            let side = if counts[class] % VALID == VALID - 1 { &mut all.valid } else { &mut all.train };
            counts[class] += 1;
            let decoded = decoded(&drawing)?;
            if opaque_part(&decoded) < A_RECTANGLE {
                side.push(CutOut { class, pixels: premultiplied(&decoded) });
            }
        }
        Ok(all)
    }
}

impl CutOut {
    /// The drawing with its longer side `side` pixels long, mirrored if asked for.
    pub(super) fn scaled(&self, side: usize, mirrored: bool) -> Rgba32FImage {
        let (width, height) = self.pixels.dimensions();
        let scale = side as f64 / f64::from(width.max(height));
        let size = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
        let scaled = imageops::resize(&self.pixels, size(width), size(height), FilterType::Triangle);
        if mirrored { imageops::flip_horizontal(&scaled) } else { scaled }
    }
}

pub(super) fn decoded(drawing: &Drawing) -> Result<RgbaImage> {
    let path = format!("{}/{}", drawing.class, drawing.name);
    image::load_from_memory(drawing.bytes).map(|image| image.to_rgba8()).map_err(|e| Error::file(path, e.to_string()))
}

fn opaque_part(drawing: &RgbaImage) -> f64 {
    drawing.pixels().filter(|pixel| pixel.0[3] > 127).count() as f64 / f64::from(drawing.width() * drawing.height())
}

/// A transparent pixel's colour means nothing, and must not seep into its neighbours' when the drawing is scaled.
fn premultiplied(drawing: &RgbaImage) -> Rgba32FImage {
    Rgba32FImage::from_fn(drawing.width(), drawing.height(), |x, y| {
        let [r, g, b, a] = drawing.get_pixel(x, y).0.map(|value| f32::from(value) / 255.0);
        image::Rgba([r * a, g * a, b * a, a])
    })
}
