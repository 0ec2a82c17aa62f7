//! A trained network with its classes and transforms: files in, classes out.

use super::network;
use super::recipe::ImageRecipe;
use super::strangers::{Strangers, pooled};
use crate::device;
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::kernels;
use crate::models::{Arch, Network};
use crate::nn::Module;
use crate::rng::Rng;
use crate::train::export;
use crate::vision::{Compose, Image};
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tallow_io::csv;

/// The prediction for one image. Where an image may show several classes, `class` is the likeliest of them.
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
    /// What the image is said to show: `class`, or where it may show several classes those whose probability is at
    /// least the threshold, the likeliest first.
    pub labels: Vec<String>,
    /// How far the image is from those that the network was trained on, as a multiple of what is usual among them:
    /// above 1 it is unlike any of them, and the class means little. None where the model remembers no images
    /// ([`super::VisionLearner::remember_images`]).
    pub strangeness: Option<f64>,
    /// What the network's head sees of the image, if it is kept ([`Predictor::keep_features`]).
    pub features: Option<Vec<f32>>,
}

impl Prediction {
    /// Whether the image is unlike any in training.
    pub fn is_stranger(&self) -> bool {
        self.strangeness.is_some_and(|strangeness| strangeness > 1.0)
    }
}

impl std::fmt::Display for Prediction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.labels.as_slice() {
            [class] if *class == self.class => write!(f, "{class} {:.4}", self.probability),
            [] => write!(f, "nothing ({} {:.4})", self.class, self.probability),
            several => f.write_str(&several.join(", ")),
        }
    }
}

/// A trained network with its classes and transforms.
pub struct Predictor {
    network: Arc<Network>,
    recipe: ImageRecipe,
    vocab: Vec<String>,
    device: Device,
    listener: Listener,
    strangers: Option<Arc<Strangers>>,
    keeps_features: bool,
}

/// Reads a folder that [`super::VisionLearner::export`] wrote, and predicts on the best device that this build and this
/// machine have. fast.ai's `load_learner`.
///
/// # Errors
/// As [`load_learner_on`].
pub fn load_learner(folder: impl AsRef<Path>) -> Result<Predictor> {
    load_learner_on(folder, &device::best())
}

/// [`load_learner`] on a certain device.
///
/// # Errors
/// Those of [`export::load`]; and [`Error::File`] when the folder holds another kind of learner, or a network, a head
/// or transforms that this version does not know, or its tensors do not fit them.
pub fn load_learner_on(folder: impl AsRef<Path>, device: &Device) -> Result<Predictor> {
    let folder = folder.as_ref();
    let mut exported = export::load(folder)?;
    let (recipe, notes) = ImageRecipe::from_exported(folder, &exported)?;
    let strangers = Strangers::take(notes, &mut exported.weights)
        .map_err(|why| Error::file(folder, format!("{why}; export the model again")))?;
    let ImageRecipe { arch, head, weights, .. } = recipe;
    let params = network::params(0, device).expecting(&exported.weights);
    let built = network::build(arch, head, exported.vocab.len(), weights.norm_eps, None, &params, &Rng::new(0));
    let network = export::fits(folder, built)?;
    params.load_state_dict(&exported.weights).map_err(|e| {
        let what = format!("its tensors do not fit {arch}: {e}; export the model again, or update this program");
        Error::file(folder, what)
    })?;
    Ok(Predictor::new(Arc::new(network), recipe, exported.vocab, device).strangers(strangers.map(Arc::new)))
}

impl Predictor {
    /// How many images of many are computed together.
    pub const BATCH: usize = 32;

    pub(super) fn new(network: Arc<Network>, recipe: ImageRecipe, vocab: Vec<String>, device: &Device) -> Predictor {
        let (device, listener) = (device.clone(), Listener::default());
        Predictor { network, recipe, vocab, device, listener, strangers: None, keeps_features: false }
    }

    pub(super) fn strangers(self, strangers: Option<Arc<Strangers>>) -> Predictor {
        Predictor { strangers, ..self }
    }

    /// Sets the receiver of progress, and of the request to stop.
    #[must_use]
    pub fn listener(self, listener: Listener) -> Predictor {
        Predictor { listener, ..self }
    }

    /// Lets each prediction have the image's features, as [`Predictor::features`] computes them, in the same pass.
    #[must_use]
    pub fn keep_features(self) -> Predictor {
        Predictor { keeps_features: true, ..self }
    }

    /// The names of the classes.
    pub fn vocab(&self) -> &[String] {
        &self.vocab
    }

    /// Where an image may show several classes, the probability from which on it is said to show one.
    pub fn threshold(&self) -> Option<f64> {
        self.recipe.threshold
    }

    /// What scores are divided by before they become probabilities, if the model was calibrated.
    pub fn temperature(&self) -> Option<f64> {
        self.recipe.temperature
    }

    /// Whether the model remembers images, so that it can tell those that are unlike any of them.
    pub fn knows_strangers(&self) -> bool {
        self.strangers.is_some()
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The architecture.
    pub fn arch(&self) -> Arch {
        self.recipe.arch
    }

    /// The transforms of an image before the network sees it.
    pub fn tfms(&self) -> &Compose {
        &self.recipe.tfms
    }

    /// The class of the photo in a file. fast.ai's `predict`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn predict_file(&self, file: impl AsRef<Path>) -> Result<Prediction> {
        self.classify_one(Image::open(file)?)
    }

    /// The class of a picture.
    ///
    /// # Errors
    /// When the transforms do not suit it.
    pub fn predict_image(&self, image: &Image) -> Result<Prediction> {
        self.classify_one(image.clone())
    }

    /// The classes of several pictures, computed together.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn predict_images(&self, images: Vec<Image>) -> Result<Vec<Prediction>> {
        let prepared = images.into_par_iter().map(|image| self.prepare(image)).collect::<Result<Vec<Tensor>>>()?;
        self.classify(&prepared.iter().collect::<Vec<_>>())
    }

    /// The classes of many files, in their order; of one that cannot be read the reason. Files are decoded in parallel.
    ///
    /// # Errors
    /// When the network does not take the images that the transforms make, what it says of them is not a number, or a
    /// stop is asked for.
    pub fn predict(&self, files: &[PathBuf]) -> Result<Vec<Result<Prediction>>> {
        self.each("predicting", files, |xs| self.classify(xs))
    }

    /// The features of many files, in their order: what the network's head sees of each, averaged over the image, for
    /// comparing images or for a model of one's own. Of a file that cannot be read the reason.
    ///
    /// # Shapes
    /// - each result: `[features]`, such as 1280 for EfficientNet-Lite0
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn features(&self, files: &[PathBuf]) -> Result<Vec<Result<Vec<f32>>>> {
        self.each("computing features", files, |xs| self.features_of(xs))
    }

    /// The features of a picture, as [`Predictor::features`] has them.
    ///
    /// # Errors
    /// When the transforms do not suit it.
    pub fn image_features(&self, image: &Image) -> Result<Vec<f32>> {
        let mut features = self.features_of(&[&self.prepare(image.clone())?])?;
        features.pop().ok_or_else(|| Error::Value("the network gave no features".into()))
    }

    /// What `judge` says of each file, in batches.
    fn each<T>(
        &self,
        what: &str,
        files: &[PathBuf],
        judge: impl Fn(&[&Tensor]) -> Result<Vec<T>>,
    ) -> Result<Vec<Result<T>>> {
        let task = self.listener.task(what, files.len());
        let mut all = Vec::with_capacity(files.len());
        for chunk in files.chunks(Predictor::BATCH) {
            self.listener.stop_if_interrupted()?;
            let read = |file: &PathBuf| Image::open(file).and_then(|image| self.prepare(image));
            let prepared: Vec<Result<Tensor>> = chunk.par_iter().map(read).collect();
            let whole: Vec<&Tensor> = prepared.iter().filter_map(|x| x.as_ref().ok()).collect();
            let mut judged = judge(&whole)?.into_iter();
            for x in prepared {
                match x {
                    Ok(_) => all.extend(judged.next().map(Ok)),
                    Err(error) => all.push(Err(error)),
                }
            }
            task.progress(all.len(), "");
        }
        Ok(all)
    }

    /// The device of the network.
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// An image as the network wants it, `[3, H, W]`.
    pub(super) fn prepare(&self, image: Image) -> Result<Tensor> {
        self.recipe.tfms.tensor(image)
    }

    fn classify_one(&self, image: Image) -> Result<Prediction> {
        let mut predictions = self.classify(&[&self.prepare(image)?])?;
        predictions.pop().ok_or_else(|| Error::Value("the network gave no scores".into()))
    }

    /// Features of images of one size together, or of each by itself where sizes differ.
    fn features_of(&self, xs: &[&Tensor]) -> Result<Vec<Vec<f32>>> {
        let Some(first) = xs.first() else { return Ok(Vec::new()) };
        if xs.iter().any(|x| x.dims() != first.dims()) {
            return Ok(xs.iter().map(|x| self.features_of(&[*x])).collect::<Result<Vec<_>>>()?.concat());
        }
        let xs = Tensor::stack(xs, 0)?.to_device(&self.device)?; // [N, 3, H, W]
        let features = kernels::no_grad(|| self.network.features(&xs, false))?.detach();
        rows_of(&pooled(&features)?)
    }

    fn classify(&self, xs: &[&Tensor]) -> Result<Vec<Prediction>> {
        let Some(first) = xs.first() else { return Ok(Vec::new()) };
        if xs.iter().any(|x| x.dims() != first.dims()) {
            return Ok(xs.iter().map(|x| self.classify(&[*x])).collect::<Result<Vec<_>>>()?.concat());
        }
        let xs = Tensor::stack(xs, 0)?.to_device(&self.device)?; // [N, 3, H, W]
        let (scores, features) = if self.keeps_features || self.strangers.is_some() {
            let features = kernels::no_grad(|| self.network.features(&xs, false))?.detach();
            (kernels::no_grad(|| self.network.judge(&features, false))?.detach(), Some(pooled(&features)?))
        } else {
            (kernels::no_grad(|| self.network.forward(&xs, false))?.detach(), None)
        };
        let scores = scores.to_dtype(DType::F64)?;
        let strangeness = match (&self.strangers, &features) {
            (Some(strangers), Some(features)) => strangers.strangeness(features)?.into_iter().map(Some).collect(),
            _ => vec![None; xs.dims()[0]],
        };
        let probabilities = self.recipe.probabilities(&scores)?.to_vec2::<f64>()?;
        if probabilities.iter().flatten().any(|p| !p.is_finite()) {
            let message = "its probabilities are not numbers: the training of this model has diverged; train it again";
            return Err(Error::network(self.recipe.arch.name(), message));
        }
        let features = match features.filter(|_| self.keeps_features) {
            Some(features) => rows_of(&features)?.into_iter().map(Some).collect(),
            None => vec![None; strangeness.len()],
        };
        let all = probabilities.into_iter().zip(strangeness).zip(features);
        Ok(all
            .map(|((probabilities, strangeness), features)| Prediction {
                features,
                ..self.named(probabilities, strangeness)
            })
            .collect())
    }

    fn named(&self, probabilities: Vec<f64>, strangeness: Option<f64>) -> Prediction {
        let best = (0..probabilities.len()).fold(0, |b, i| if probabilities[i] > probabilities[b] { i } else { b });
        let class = self.vocab().get(best).cloned().unwrap_or_default();
        let labels = match self.recipe.threshold {
            None => vec![class.clone()],
            Some(threshold) => {
                let mut named: Vec<(f64, &String)> = probabilities.iter().copied().zip(&self.vocab).collect();
                named.retain(|(p, _)| *p >= threshold);
                named.sort_by(|a, b| b.0.total_cmp(&a.0));
                named.into_iter().map(|(_, name)| name.clone()).collect()
            }
        };
        let probability = probabilities[best];
        Prediction { class, index: best, probability, probabilities, labels, strangeness, features: None }
    }
}

fn rows_of(features: &Tensor) -> Result<Vec<Vec<f32>>> {
    Ok(features.to_device(&Device::Cpu)?.to_vec2::<f32>()?)
}

/// Predictions of many files as the text of a CSV file: `file,class,probability,error,strangeness`, and a row for each
/// file. Names that a spreadsheet would take for formulas are marked as text.
pub fn predictions_csv(files: &[PathBuf], predictions: &[Result<Prediction>]) -> String {
    let rows = files.iter().zip(predictions).map(|(file, prediction)| {
        let file = csv::path(file);
        match prediction {
            Ok(p) => {
                let classes = csv::text(&p.labels.join(" | ")).into_owned();
                let strangeness = p.strangeness.map(|s| format!("{s:.4}")).unwrap_or_default();
                [file, classes, format!("{:.6}", p.probability), String::new(), strangeness]
            }
            Err(e) => [file, String::new(), String::new(), csv::text(&e.to_string()).into_owned(), String::new()],
        }
    });
    csv::to_string(
        std::iter::once(["file", "class", "probability", "error", "strangeness"].map(String::from)).chain(rows),
    )
}
