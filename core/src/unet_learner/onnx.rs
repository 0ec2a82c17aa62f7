//! A U-Net as an ONNX file.

use super::segmenter::Segmenter;
use crate::error::Result;
use crate::nn::Module;
use crate::onnx::{
    Finish, OnnxOptions, OnnxSummary, Sample, Work, image_notes, normalization, random_images, size_of_images,
};
use std::path::Path;

impl Segmenter {
    /// Writes the network as ONNX, for programs in other languages and on other devices.
    ///
    /// The file takes `images`, `[N, 3, H, W]`, that are prepared as its notes `preprocessing` and `transforms` say, or
    /// with [`OnnxOptions::pixels`] their bytes `[N, H, W, 3]`. It makes `scores` and `probabilities`,
    /// `[N, classes, H, W]`; the note `classes` has the classes' names. `N` is free, height and width are not.
    ///
    /// # Errors
    /// [`crate::Error::Config`] when the transforms make images of different sizes and no size is given;
    /// [`crate::Error::Value`] and [`crate::Error::File`] when the network has no form in ONNX or the file, read back
    /// and run, does not say what the network says; [`crate::Error::Io`] when it cannot be written. No file is left
    /// then.
    pub fn export_onnx(&self, file: impl AsRef<Path>, options: OnnxOptions) -> Result<OnnxSummary> {
        let tfms = self.tfms();
        let size = size_of_images(tfms, options.size)?;
        let task = "semantic segmentation, a class for each pixel";
        let mut notes = image_notes(task, tfms, size, &options, self.codes())?;
        if let Some(void) = self.void() {
            notes.insert("void_class".into(), void.to_string());
        }
        let work = Work {
            inputs: vec![Sample {
                name: "images",
                whole: false,
                free: None,
                draw: Box::new(move |n, rng| random_images(n, size, rng, self.device())),
            }],
            forward: &|inputs| self.network().forward(&inputs[0], false),
            finish: Finish::Softmax(1.0),
            pixels: options.pixels.then(|| normalization(tfms)),
            half: options.half,
            about: format!("a U-Net on {} with {} classes of pixels", self.arch(), self.codes().len()),
            notes,
        };
        work.write(file.as_ref())
    }
}
