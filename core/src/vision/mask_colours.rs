//! Classes as colours.

use super::{Image, Mask};
use crate::error::{Error, Result};

/// Colours in the order in which classes get them: neighbours differ in hue and in lightness.
const COLOURS: [[u8; 3]; 16] = [
    [66, 133, 244],
    [219, 68, 55],
    [244, 180, 0],
    [120, 60, 180],
    [15, 157, 88],
    [255, 130, 190],
    [0, 200, 210],
    [140, 85, 40],
    [180, 220, 60],
    [0, 60, 130],
    [255, 120, 40],
    [190, 160, 255],
    [0, 95, 75],
    [225, 30, 130],
    [255, 235, 190],
    [110, 10, 30],
];

/// Pixels of no class.
const VOID: [u8; 3] = [128, 128, 128];

/// A colour for each of the classes `0..n`, by which they can be told apart; `void` is grey. After the first sixteen
/// come their dark and then their pale relatives, and so on.
pub fn class_colours(n: usize, void: Option<u32>) -> Vec<[u8; 3]> {
    let colour = |class: usize| {
        let toward = |end: f64, part: f64| {
            COLOURS[class % COLOURS.len()].map(|c| (f64::from(c) + (end - f64::from(c)) * part).round() as u8)
        };
        match class / COLOURS.len() % 3 {
            0 => toward(0.0, 0.0),
            1 => toward(0.0, 0.45),
            _ => toward(255.0, 0.55),
        }
    };
    (0..n).map(|class| if void == Some(class as u32) { VOID } else { colour(class) }).collect()
}

impl Image {
    /// The picture with a mask laid over it, each class in its colour: `opacity` 0 is the picture, 1 the colours. A
    /// class without a colour shows the picture.
    ///
    /// # Errors
    /// When the mask has another size than the picture.
    pub fn overlay(&self, mask: &Mask, colours: &[[u8; 3]], opacity: f64) -> Result<Image> {
        if (mask.width(), mask.height()) != (self.width(), self.height()) {
            let message = format!("{mask:?} does not lie over {self:?}: they must have one size");
            return Err(Error::shape(message, &[mask.height(), mask.width()]));
        }
        let opacity = opacity.clamp(0.0, 1.0);
        let mut out = self.clone();
        let (pixels, _) = out.bytes_mut().as_chunks_mut::<3>();
        for (pixel, &class) in pixels.iter_mut().zip(mask.values()) {
            let Some(colour) = colours.get(usize::from(class)) else { continue };
            for (byte, &c) in pixel.iter_mut().zip(colour) {
                let from = f64::from(*byte);
                *byte = (from + (f64::from(c) - from) * opacity).round() as u8;
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_differ_and_void_is_grey() {
        let colours = class_colours(48, Some(5));
        assert_eq!(colours[5], [128, 128, 128]);
        for (i, a) in colours.iter().enumerate() {
            for b in &colours[..i] {
                assert!(a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 12), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn a_mask_lies_over_a_picture_translucently() {
        let picture = Image::new(2, 1, vec![0, 100, 200, 10, 20, 30]).unwrap();
        let mask = Mask::new(2, 1, vec![0, 7]).unwrap();
        let over = picture.overlay(&mask, &[[100, 100, 100]], 0.5).unwrap();
        assert_eq!(over.bytes(), [50, 100, 150, 10, 20, 30]);
        assert!(picture.overlay(&Mask::new(1, 2, vec![0, 0]).unwrap(), &[], 0.5).is_err());
    }
}
