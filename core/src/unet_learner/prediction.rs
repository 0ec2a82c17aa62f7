//! What a segmenter says of a picture.

use crate::error::Result;
use crate::vision::{Image, Mask, class_colours};
use std::path::Path;
use std::sync::Arc;

/// The prediction for one picture: the class of each of its pixels, at the picture's own size.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentationPrediction {
    /// The classes, by number.
    pub mask: Mask,
    /// The share of the pixels that each class has, in the order of the codes.
    pub shares: Vec<f64>,
    codes: Arc<Vec<String>>,
    void: Option<u32>,
}

impl SegmentationPrediction {
    pub(super) fn new(mask: Mask, codes: &Arc<Vec<String>>, void: Option<u32>) -> SegmentationPrediction {
        let n = mask.values().len() as f64;
        let shares = mask.counts(codes.len()).into_iter().map(|pixels| pixels as f64 / n).collect();
        SegmentationPrediction { mask, shares, codes: codes.clone(), void }
    }

    /// The names of the classes, by number.
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// The classes that the picture shows with their shares of the pixels, the largest first.
    pub fn largest(&self) -> Vec<(&str, f64)> {
        let named = self.codes.iter().map(String::as_str).zip(self.shares.iter().copied());
        let mut shown: Vec<(&str, f64)> = named.filter(|(_, share)| *share > 0.0).collect();
        shown.sort_by(|a, b| b.1.total_cmp(&a.1));
        shown
    }

    /// Writes the classes as a PNG file of a palette, whose numbers are the classes' ([`Mask::save`]).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl AsRef<Path>) -> Result<()> {
        self.mask.save(file, self.void)
    }

    /// The picture with the classes over it, each in its colour: with an `opacity` of 0 the picture, of 1 the colours.
    ///
    /// # Errors
    /// When it is a picture of another size.
    pub fn overlay(&self, picture: &Image, opacity: f64) -> Result<Image> {
        picture.overlay(&self.mask, &class_colours(self.codes.len(), self.void), opacity)
    }
}

/// Classes with their shares: `Road 0.412, Sky 0.301, Tree 0.287`.
impl std::fmt::Display for SegmentationPrediction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<String> = self.largest().iter().map(|(class, share)| format!("{class} {share:.3}")).collect();
        f.write_str(&words.join(", "))
    }
}
