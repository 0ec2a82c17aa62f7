//! A trained U-Net with its classes and transforms: pictures in, masks out.

use super::enlarge::classes_at;
use super::network;
use super::prediction::SegmentationPrediction;
use super::recipe::SegmenterRecipe;
use super::whole::whole;
use crate::device;
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::kernels;
use crate::models::{Arch, DynamicUnet};
use crate::nn::Module;
use crate::train::export;
use crate::vision::{Compose, Image, Mask};
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A trained U-Net with its classes and transforms.
pub struct Segmenter {
    network: Arc<DynamicUnet>,
    recipe: SegmenterRecipe,
    codes: Arc<Vec<String>>,
    device: Device,
    listener: Listener,
}

/// Reads a folder that [`super::UnetLearner::export`] wrote, and predicts on the best device that this build and this
/// machine have. fast.ai's `load_learner`.
///
/// # Errors
/// As [`load_segmenter_on`].
pub fn load_segmenter(folder: impl AsRef<Path>) -> Result<Segmenter> {
    load_segmenter_on(folder, &device::best())
}

/// [`load_segmenter`] on a certain device.
///
/// # Errors
/// Those of [`export::load`]; and [`Error::File`] when the folder holds another kind of learner, or a network or
/// transforms that this version does not know, or its tensors do not fit them.
pub fn load_segmenter_on(folder: impl AsRef<Path>, device: &Device) -> Result<Segmenter> {
    let folder = folder.as_ref();
    let exported = export::load(folder)?;
    let recipe = SegmenterRecipe::from_exported(folder, &exported)?;
    let params = network::params(0, device).expecting(&exported.weights);
    let network = export::fits(folder, network::build(recipe.arch, exported.vocab.len(), None, &params))?;
    params.load_state_dict(&exported.weights).map_err(|e| {
        let arch = recipe.arch;
        let what = format!("its tensors do not fit a U-Net on {arch}: {e}; export it again, or update this program");
        Error::file(folder, what)
    })?;
    Ok(Segmenter::new(Arc::new(network), recipe, exported.vocab, device))
}

impl Segmenter {
    pub(super) fn new(
        network: Arc<DynamicUnet>,
        recipe: SegmenterRecipe,
        codes: Vec<String>,
        device: &Device,
    ) -> Segmenter {
        Segmenter { network, recipe, codes: Arc::new(codes), device: device.clone(), listener: Listener::default() }
    }

    /// Sets the receiver of progress, and of the request to stop.
    #[must_use]
    pub fn listener(self, listener: Listener) -> Segmenter {
        Segmenter { listener, ..self }
    }

    pub(super) fn network(&self) -> &DynamicUnet {
        &self.network
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// The names of the classes of pixels, by number.
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// The class of pixels that did not count in training, if there is one.
    pub fn void(&self) -> Option<u32> {
        self.recipe.void
    }

    /// The architecture of the encoder.
    pub fn arch(&self) -> Arch {
        self.recipe.arch
    }

    /// The transforms of validation. Predictions are made of whole pictures at the scale that these give them, though
    /// they may cut something off.
    pub fn tfms(&self) -> &Compose {
        &self.recipe.tfms
    }

    /// The classes of the pixels of the picture in a file. fast.ai's `predict`, but at the picture's own size.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn predict_file(&self, file: impl AsRef<Path>) -> Result<SegmentationPrediction> {
        self.predict_image(&Image::open(file)?)
    }

    /// The classes of the pixels of a picture, at its own size.
    ///
    /// # Errors
    /// When the transforms do not suit it.
    pub fn predict_image(&self, picture: &Image) -> Result<SegmentationPrediction> {
        let mut predictions = self.segment(&[&self.prepare(picture.clone())?])?;
        predictions.pop().ok_or_else(|| Error::Value("the network gave no scores".into()))
    }

    /// The predictions for many files, in their order; of one that cannot be read the reason. Files are decoded in
    /// parallel, and those of one size go through the network together.
    ///
    /// # Errors
    /// When what the network says is not a number, or a stop is asked for.
    pub fn predict(&self, files: &[PathBuf]) -> Result<Vec<Result<SegmentationPrediction>>> {
        const BATCH: usize = 8;
        let task = self.listener.task("predicting", files.len());
        let mut all = Vec::with_capacity(files.len());
        for chunk in files.chunks(BATCH) {
            self.listener.stop_if_interrupted()?;
            let read = |file: &PathBuf| Image::open(file).and_then(|picture| self.prepare(picture));
            let prepared: Vec<Result<Prepared>> = chunk.par_iter().map(read).collect();
            let whole: Vec<&Prepared> = prepared.iter().filter_map(|picture| picture.as_ref().ok()).collect();
            let mut predictions = self.segment(&whole)?.into_iter();
            for picture in prepared {
                match picture {
                    Ok(_) => all.extend(predictions.next().map(Ok)),
                    Err(error) => all.push(Err(error)),
                }
            }
            task.progress(all.len(), "");
        }
        Ok(all)
    }

    /// A picture as the network wants it.
    fn prepare(&self, picture: Image) -> Result<Prepared> {
        let (width, height) = (picture.width(), picture.height());
        let xs = whole(&self.recipe.tfms, (width, height)).tensor(picture)?;
        let (_, h, w) = xs.dims3()?;
        if h * w > MOST_PIXELS {
            let message = format!(
                "a picture of {width} by {height} pixels comes to the network with {w} by {h}, more than {MOST_PIXELS} \
                 and so more than memory may hold: make it smaller, or train with a `Resize` among the transforms"
            );
            return Err(Error::Value(message));
        }
        Ok(Prepared { xs, size: [height, width] })
    }

    /// Pictures that are of one size for the network together, or each by itself where sizes differ or are large.
    fn segment(&self, pictures: &[&Prepared]) -> Result<Vec<SegmentationPrediction>> {
        let Some(first) = pictures.first() else { return Ok(Vec::new()) };
        let pixels: usize = pictures.iter().map(|picture| picture.xs.elem_count() / 3).sum();
        let alike = pictures.iter().all(|picture| picture.xs.dims() == first.xs.dims());
        if pictures.len() > 1 && !(alike && pixels <= PIXELS_TOGETHER) {
            let each = pictures.iter().map(|picture| self.segment(&[*picture]));
            return Ok(each.collect::<Result<Vec<_>>>()?.concat());
        }
        let xs: Vec<&Tensor> = pictures.iter().map(|picture| &picture.xs).collect();
        let xs = Tensor::stack(&xs, 0)?.to_device(&self.device)?; // [N, 3, H, W]
        let scores = kernels::no_grad(|| self.network.forward(&xs, false))?.detach();
        let scores = kernels::channels_last(&scores)?;
        let (_, h, w, c) = scores.dims4()?;
        let values = scores.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        if values.iter().any(|score| !score.is_finite()) {
            let message = "its scores are not numbers: the training of this model has diverged; train it again";
            return Err(Error::network(self.recipe.arch.name(), message));
        }
        let pairs = values.chunks_exact(h * w * c).zip(pictures);
        pairs
            .map(|(scores, picture)| {
                let [height, width] = picture.size;
                let mask = Mask::new(width, height, classes_at(scores, [h, w, c], picture.size))?;
                Ok(SegmentationPrediction::new(mask, &self.codes, self.recipe.void))
            })
            .collect()
    }
}

/// Pixels of a picture for the network: where all are in work, each takes about two thousand bytes.
const MOST_PIXELS: usize = 1 << 22;

/// Pixels of several pictures that go through the network together.
const PIXELS_TOGETHER: usize = 1 << 19;

/// A picture on its way into the network.
struct Prepared {
    /// `[3, H, W]`
    xs: Tensor,
    /// Its own height and width.
    size: [usize; 2],
}
