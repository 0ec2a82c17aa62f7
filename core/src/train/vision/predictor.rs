//! A trained network at work: files in, classes out.

use super::network::{self, HeadKind};
use crate::error::{Error, Result};
use crate::event;
use crate::kernels;
use crate::models::{Arch, Network};
use crate::nn::Module;
use crate::rng::Rng;
use crate::train::export;
use crate::vision::{Compose, Image};
use candle_core::{D, DType, Device, Tensor};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tallow_io::csv;

/// What it takes to build a vision learner's network again and to show it a picture.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) arch: Arch,
    pub(super) head: HeadKind,
    pub(super) vocab: Vec<String>,
    pub(super) tfms: Compose,
}

/// What a network makes of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The class.
    pub class: String,
    /// Its place in the vocabulary.
    pub index: usize,
    /// Its probability.
    pub probability: f64,
    /// Those of all classes, in the vocabulary's order.
    pub probabilities: Vec<f64>,
}

/// A trained network with its classes and transforms.
pub struct Predictor {
    network: Arc<Network>,
    recipe: Recipe,
    device: Device,
}

/// Reads a folder that [`super::VisionLearner::export`] wrote. fast.ai's `load_learner`.
///
/// # Errors
/// As [`export::load`]; and when the folder is of a network, a head or transforms that this version does not know, or its
/// tensors do not fit them.
pub fn load_learner(folder: &Path, device: &Device) -> Result<Predictor> {
    let exported = export::load(folder)?;
    let useless = |why: String| Error::file(folder, format!("{why}; export the model again, or update this program"));
    let arch: Arch = exported.arch.parse().map_err(|e| useless(format!("{e}")))?;
    let head = exported.build.get("head").cloned().unwrap_or_default();
    let head = serde_json::from_value(head).map_err(|e| useless(format!("has no head that is known here: {e}")))?;
    let tfms = serde_json::from_value(exported.transforms)
        .map_err(|e| useless(format!("has transforms not known here: {e}")))?;
    if exported.vocab.is_empty() {
        return Err(useless("has no classes".into()));
    }
    let params = network::params(0, device);
    let network = network::build(arch, head, exported.vocab.len(), None, &params, &Rng::new(0))?;
    params.load_state_dict(&exported.weights).map_err(|e| useless(format!("its tensors do not fit {arch}: {e}")))?;
    Ok(Predictor::new(Arc::new(network), Recipe { arch, head, vocab: exported.vocab, tfms }, device))
}

impl Predictor {
    pub(super) fn new(network: Arc<Network>, recipe: Recipe, device: &Device) -> Predictor {
        Predictor { network, recipe, device: device.clone() }
    }

    /// The names of the classes.
    pub fn vocab(&self) -> &[String] {
        &self.recipe.vocab
    }

    /// The architecture.
    pub fn arch(&self) -> Arch {
        self.recipe.arch
    }

    /// What is done with a picture before the network sees it.
    pub fn tfms(&self) -> &Compose {
        &self.recipe.tfms
    }

    /// The class of the photo in a file. fast.ai's `predict`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn predict_file(&self, file: &Path) -> Result<Prediction> {
        self.predict_image(Image::open(file)?)
    }

    /// The class of a picture.
    ///
    /// # Errors
    /// When the transforms do not suit it.
    pub fn predict_image(&self, picture: Image) -> Result<Prediction> {
        let x = self.prepare(picture)?;
        let mut predictions = self.judge(&[&x])?;
        predictions.pop().ok_or_else(|| Error::Value("the network gave no scores".into()))
    }

    /// The classes of many files, in their order; of one that cannot be read the reason. Files are decoded in parallel.
    ///
    /// # Errors
    /// When the network cannot judge what the transforms make, or somebody interrupts.
    pub fn predict(&self, files: &[PathBuf]) -> Result<Vec<Result<Prediction>>> {
        const BATCH: usize = 32;
        let mut all = Vec::with_capacity(files.len());
        for chunk in files.chunks(BATCH) {
            event::stop_if_interrupted()?;
            let read = |file: &PathBuf| Image::open(file).and_then(|picture| self.prepare(picture));
            let prepared: Vec<Result<Tensor>> = chunk.par_iter().map(read).collect();
            let whole: Vec<&Tensor> = prepared.iter().filter_map(|x| x.as_ref().ok()).collect();
            let mut judged = self.judge(&whole)?.into_iter();
            for x in prepared {
                match x {
                    Ok(_) => all.extend(judged.next().map(Ok)),
                    Err(error) => all.push(Err(error)),
                }
            }
        }
        Ok(all)
    }

    /// A picture as the network wants it, `[3, H, W]`. Nothing in validation's transforms is random.
    fn prepare(&self, picture: Image) -> Result<Tensor> {
        self.recipe.tfms.tensor(picture, &mut Rng::new(0))
    }

    /// Pictures of one size, or each by itself where sizes differ.
    fn judge(&self, xs: &[&Tensor]) -> Result<Vec<Prediction>> {
        let Some(first) = xs.first() else { return Ok(Vec::new()) };
        if xs.iter().any(|x| x.dims() != first.dims()) {
            return Ok(xs.iter().map(|x| self.judge(&[*x])).collect::<Result<Vec<_>>>()?.concat());
        }
        let xs = Tensor::stack(xs, 0)?.to_device(&self.device)?; // [N, 3, H, W]
        let scores = kernels::no_grad(|| self.network.forward(&xs, false))?.detach().to_dtype(DType::F64)?;
        let probabilities = candle_nn::ops::softmax(&scores, D::Minus1)?.to_vec2::<f64>()?;
        Ok(probabilities.into_iter().map(|probabilities| self.named(probabilities)).collect())
    }

    fn named(&self, probabilities: Vec<f64>) -> Prediction {
        let best = (0..probabilities.len()).fold(0, |b, i| if probabilities[i] > probabilities[b] { i } else { b });
        let class = self.vocab().get(best).cloned().unwrap_or_default();
        Prediction { class, index: best, probability: probabilities[best], probabilities }
    }
}

/// Predictions of many files as the text of a CSV file: `file,class,probability,error`, and a row for each file.
pub fn predictions_csv(files: &[PathBuf], predictions: &[Result<Prediction>]) -> String {
    let rows = files.iter().zip(predictions).map(|(file, prediction)| {
        let file = file.display().to_string();
        match prediction {
            Ok(p) => [file, p.class.clone(), format!("{:.6}", p.probability), String::new()],
            Err(e) => [file, String::new(), String::new(), e.to_string()],
        }
    });
    csv::to_string(std::iter::once(["file", "class", "probability", "error"].map(String::from)).chain(rows))
}
