//! An image classifier as an ONNX file.

use super::Predictor;
use crate::error::Result;
use crate::nn::Module;
use crate::onnx::{
    Finish, OnnxOptions, OnnxSummary, Sample, Work, image_notes, normalization, random_images, size_of_images,
};
use std::path::Path;

impl Predictor {
    /// Writes the network as ONNX, for programs in other languages and on other devices. PyTorch's
    /// `torch.onnx.export`.
    ///
    /// The file takes `images`, `[N, 3, H, W]`, that are prepared as its notes `preprocessing` and `transforms` say, or
    /// with [`OnnxOptions::pixels`] their bytes `[N, H, W, 3]`. It makes `scores` and `probabilities`, `[N, classes]`;
    /// the note `classes` has the classes' names. `N` is free.
    ///
    /// # Errors
    /// [`crate::Error::Config`] when the transforms make images of different sizes and no size is given;
    /// [`crate::Error::Value`] and [`crate::Error::File`] when the network has no form in ONNX or the file, read back
    /// and run, does not say what the network says; [`crate::Error::Io`] when it cannot be written. No file is left
    /// then.
    pub fn export_onnx(&self, file: impl AsRef<Path>, options: OnnxOptions) -> Result<OnnxSummary> {
        let tfms = self.tfms();
        let size = size_of_images(tfms, options.size)?;
        let task = match self.threshold() {
            None => "image classification, one class for each image",
            Some(_) => "image classification, any number of classes for each image",
        };
        let mut notes = image_notes(task, tfms, size, &options, self.vocab())?;
        if let Some(threshold) = self.threshold() {
            notes.insert("threshold".into(), threshold.to_string());
        }
        let work = Work {
            inputs: vec![Sample {
                name: "images",
                whole: false,
                free: None,
                draw: Box::new(move |n, rng| random_images(n, size, rng, self.device())),
            }],
            forward: &|inputs| self.network().forward(&inputs[0], false),
            finish: match self.threshold() {
                None => Finish::Softmax(self.temperature().unwrap_or(1.0)),
                Some(_) => Finish::Sigmoid,
            },
            pixels: options.pixels.then(|| normalization(tfms)),
            half: options.half,
            about: format!("{} with {} classes: {task}", self.arch(), self.vocab().len()),
            notes,
        };
        work.write(file.as_ref())
    }
}
