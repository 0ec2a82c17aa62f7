//! Predicted masks beside the actual ones.

use super::interpretation::top_first;
use super::masks::{MaskResult, show_masks};
use crate::data::SegmentationLoader;
use crate::error::{Error, Result};
use crate::metrics::{ClassCounts, PixelCounts};
use crate::nn::losses::labels;
use crate::plot::{Bars, Figure};
use crate::rng::Rng;
use crate::train::{pixel_classes, pixel_counts};
use crate::unet_learner::UnetLearner;
use crate::vision::Mask;
use candle_core::Device;
use std::path::{Path, PathBuf};

/// A segmentation learner's predictions for images with known masks. fast.ai's `SegmentationInterpretation`.
#[derive(Debug, Clone)]
pub struct SegmentationInterpretation {
    codes: Vec<String>,
    pictures: Vec<PictureResult>,
    counts: PixelCounts,
}

/// The result for one image.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureResult {
    /// Its place in the dataset, from 0.
    pub index: usize,
    /// Its file.
    pub file: PathBuf,
    /// Its loss.
    pub loss: f64,
    /// The share of its pixels whose class is right, void ones left out; none if all are.
    pub accuracy: Option<f64>,
}

/// The overlap of one class's actual and predicted pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassOverlap {
    /// The class.
    pub class: String,
    /// Its Dice coefficient; none where it neither is nor was predicted.
    pub dice: Option<f64>,
    /// Its intersection over union, the same way.
    pub jaccard: Option<f64>,
    /// How many pixels are of it, were taken for it, and both.
    pub counts: ClassCounts,
}

impl SegmentationInterpretation {
    /// Evaluates a learner's predictions for its validation pictures. fast.ai's `from_learner`.
    ///
    /// # Errors
    /// When a picture or a mask cannot be read.
    pub fn from_learner(learner: &UnetLearner) -> Result<SegmentationInterpretation> {
        SegmentationInterpretation::from_loader(learner, &learner.segmentation_dls().valid)
    }

    /// [`SegmentationInterpretation::from_learner`] for all pictures of another loader with masks, in the dataset's
    /// order, whatever order the loader has.
    ///
    /// # Errors
    /// When a picture or a mask cannot be read.
    pub fn from_loader(learner: &UnetLearner, loader: &SegmentationLoader) -> Result<SegmentationInterpretation> {
        let mut of_pictures = Vec::new();
        let mut counts = PixelCounts::new(learner.codes().len(), learner.void())?;
        for batch in loader.loader().clone().in_order().epoch(0) {
            let batch = batch?;
            let scores = learner.predict_batch(&batch)?;
            let masks = labels(&batch.ys)?;
            for i in 0..masks.dims()[0] {
                let (scores, mask) = (scores.narrow(0, i, 1)?, masks.narrow(0, i, 1)?);
                let of_picture = pixel_counts(&scores, &mask, learner.void())?;
                counts.merge(&of_picture)?;
                let loss = learner.loss().of(&scores, &mask)?.to_dtype(candle_core::DType::F64)?;
                of_pictures.push((loss.flatten_all()?.to_vec1::<f64>()?[0], of_picture.accuracy()));
            }
        }
        let kept = loader.dataset().kept();
        if kept.len() != of_pictures.len() {
            let (n, m) = (of_pictures.len(), kept.len());
            return Err(Error::Value(format!(
                "{n} predictions for {m} pictures that can be read: expected one for each"
            )));
        }
        let pictures = kept.into_iter().zip(of_pictures).map(|(index, (loss, accuracy))| {
            let file = loader.files()[index].clone();
            PictureResult { index, file, loss, accuracy }
        });
        Ok(SegmentationInterpretation { codes: learner.codes().to_vec(), pictures: pictures.collect(), counts })
    }

    /// The names of the classes of pixels, by number.
    pub fn codes(&self) -> &[String] {
        &self.codes
    }

    /// All pictures, in order.
    pub fn pictures(&self) -> &[PictureResult] {
        &self.pictures
    }

    /// The counts of all their pixels, from which every metric of masks follows.
    pub fn counts(&self) -> &PixelCounts {
        &self.counts
    }

    /// The `k` pictures with the largest losses, the largest first; of equal ones the first in order. fast.ai's
    /// `top_losses`.
    pub fn top_losses(&self, k: usize) -> Vec<&PictureResult> {
        let losses: Vec<f64> = self.pictures.iter().map(|picture| picture.loss).collect();
        top_first(&losses).into_iter().take(k).map(|index| &self.pictures[index]).collect()
    }

    /// How well each class is found, in the order of the codes; the void class has no coefficients.
    pub fn per_class(&self) -> Vec<ClassOverlap> {
        let classes = self.codes.iter().zip(self.counts.classes()).enumerate();
        let of_class = |(class, (name, &counts)): (usize, (&String, &ClassCounts))| {
            let is_void = self.counts.void() == Some(class as u32);
            let value = |value: Option<f64>| value.filter(|_| !is_void);
            let (dice, jaccard) = (self.counts.dice(class as u32), self.counts.jaccard(class as u32));
            ClassOverlap { class: name.clone(), dice: value(dice), jaccard: value(jaccard), counts }
        };
        classes.map(of_class).collect()
    }

    /// A bar for the intersection over union of each class that has one, the worst on top.
    pub fn plot_per_class(&self) -> Bars {
        let classes = self.per_class().into_iter();
        let mut classes: Vec<(String, f64)> = classes.filter_map(|c| Some((c.class, c.jaccard?))).collect();
        classes.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (names, values): (Vec<String>, Vec<f64>) = classes.into_iter().unzip();
        Bars::new("Intersection over union of each class", &names, &values).horizontal()
    }

    /// The `k` pictures with the largest losses beside their masks, as `learner` predicts them now. `loader` is the one
    /// that they are of. fast.ai's `plot_top_losses`.
    ///
    /// # Errors
    /// When a picture or a mask cannot be read.
    pub fn plot_top_losses(&self, learner: &UnetLearner, loader: &SegmentationLoader, k: usize) -> Result<Figure> {
        let top = self.top_losses(k).into_iter();
        let captioned = top.map(|top| (top.index, format!("{}, loss {:.3}", file_name(&top.file), top.loss)));
        figure(learner, loader, "Largest losses", captioned, k)
    }
}

/// `n` validation pictures with their masks and what the learner takes their pixels for: picture, target and prediction
/// in a row. They are spread over the set, whose neighbours are often views of one scene. fast.ai's `show_results`.
///
/// # Errors
/// When a picture or a mask cannot be read.
pub fn show_results(learner: &UnetLearner, n: usize) -> Result<Figure> {
    let valid = &learner.segmentation_dls().valid;
    let files = valid.files().iter().enumerate().step_by((valid.files().len() / n.max(1)).max(1));
    figure(learner, valid, "", files.map(|(index, file)| (index, file_name(file))), n)
}

fn figure(
    learner: &UnetLearner,
    loader: &SegmentationLoader,
    title: &str,
    captioned: impl Iterator<Item = (usize, String)>,
    n: usize,
) -> Result<Figure> {
    let mut results = Vec::new();
    for (index, caption) in captioned {
        if results.len() == n {
            break;
        }
        results.extend(result(learner, loader, index, caption)?);
    }
    show_masks(title, &results, learner.codes(), learner.void())
}

/// A picture as the network sees it, with its mask and the predicted one; nothing if it was left out.
fn result(
    learner: &UnetLearner,
    loader: &SegmentationLoader,
    index: usize,
    caption: String,
) -> Result<Option<MaskResult>> {
    let Some((image, mask)) = loader.dataset().readable(index)? else { return Ok(None) };
    let tfms = loader.tfms().valid();
    let (item, target) = tfms.apply_both(image, mask, &mut Rng::new(0))?;
    let planes = item.into_planes();
    let shown = tfms.normalization().map_or(planes.clone(), |normalize| normalize.inverse_planes(planes.clone()));
    let xs = planes.to_tensor(&Device::Cpu)?.unsqueeze(0)?.to_device(learner.params().device())?; // [1, 3, H, W]
    let classes = pixel_classes(&learner.predict(&xs)?)?.into_iter().map(|class| class as u16).collect();
    let predicted = Mask::new(target.width(), target.height(), classes)?;
    Ok(Some(MaskResult { image: shown.to_image(), target, predicted, caption }))
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
