//! Metrics for segmentation, of scores `[N, C, H, W]` and masks `[N, H, W]`. All count the pixels of all images
//! together.

use super::metric::Metric;
use crate::error::{Error, Result};
use crate::kernels;
use crate::metrics::PixelCounts;
use crate::nn::losses::labels;
use candle_core::{DType, Tensor};

/// The fraction of pixels, void ones left out, whose highest score is that of their class. `acc_camvid` of fast.ai's
/// lessons.
pub fn pixel_accuracy(void: Option<u32>) -> Metric {
    of_pixels("pixel_accuracy", void, PixelCounts::accuracy)
}

/// The [`pixel_accuracy`] of pixels that are not of the class `background`. fast.ai's `foreground_acc`.
pub fn foreground_accuracy(background: u32, void: Option<u32>) -> Metric {
    of_pixels("foreground_acc", void, move |counts| counts.foreground_accuracy(background))
}

/// The Dice coefficient of class 1 of two ([`PixelCounts::dice`]). fast.ai's `Dice`.
pub fn dice() -> Metric {
    of_pixels("dice", None, |counts| counts.dice(1))
}

/// The mean Dice coefficient of the classes. fast.ai's `DiceMulti`.
pub fn dice_multi(void: Option<u32>) -> Metric {
    of_pixels("dice_multi", void, PixelCounts::mean_dice)
}

/// The intersection over union of class 1 of two ([`PixelCounts::jaccard`]). fast.ai's `JaccardCoeff`.
pub fn jaccard() -> Metric {
    of_pixels("jaccard_coeff", None, |counts| counts.jaccard(1))
}

/// The mean intersection over union of the classes. fast.ai's `JaccardCoeffMulti`.
pub fn jaccard_multi(void: Option<u32>) -> Metric {
    of_pixels("jaccard_coeff_multi", void, PixelCounts::mean_jaccard)
}

/// A named metric of the counts of all pixels, such as the intersection over union of one class:
/// `of_pixels("sky", void, |counts| counts.jaccard(0))`. `None` becomes NaN.
pub fn of_pixels(
    name: impl Into<String>,
    void: Option<u32>,
    value: impl Fn(&PixelCounts) -> Option<f64> + Send + Sync + 'static,
) -> Metric {
    let count = move |preds: &Tensor, ys: &Tensor| pixel_counts(preds, ys, void);
    Metric::of_counts(name, count, move |counts| value(counts).unwrap_or(f64::NAN)).may_be_undefined()
}

/// Counts the pixels of each class in masks and in predictions, the classes with the highest scores.
///
/// # Shapes
/// `scores` `[N, C, H, W]`; `masks` `[N, H, W]`
///
/// # Errors
/// When shapes do not fit, a score is NaN, or a class has no score.
pub fn pixel_counts(scores: &Tensor, masks: &Tensor, void: Option<u32>) -> Result<PixelCounts> {
    let (n, c, h, w) = scores.dims4()?;
    if masks.dims() != [n, h, w] {
        let message = format!("scores [N, C, H, W] {:?} for masks {:?}", scores.dims(), masks.dims());
        return Err(Error::shape(format!("{message}: expected one class for each pixel"), masks.dims()));
    }
    let mut counts = PixelCounts::new(c, void)?;
    counts.add(&pixel_classes(scores)?, &labels(masks)?.flatten_all()?.to_vec1::<u32>()?)?;
    Ok(counts)
}

/// The class with the highest score at each pixel, image by image and row by row; the first of equal ones.
///
/// # Shapes
/// `scores` `[N, C, H, W]` → `N·H·W` classes
///
/// # Errors
/// [`Error::Value`] when a score is NaN.
pub fn pixel_classes(scores: &Tensor) -> Result<Vec<u32>> {
    let scores = kernels::channels_last(scores)?;
    let (n, h, w, c) = scores.dims4()?;
    let values = scores.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
    if let Some(i) = values.iter().position(|score| score.is_nan()) {
        let (pixel, class) = (i / c, i % c);
        let (image, y, x) = (pixel / (h * w), pixel / w % h, pixel % w);
        let message = format!("the score of picture {image} of {n} at row {y}, column {x} for class {class} is NaN");
        return Err(Error::Value(message));
    }
    let best = |row: &[f32]| {
        row.iter().enumerate().fold(0, |best, (class, score)| if *score > row[best] { class } else { best }) as u32
    };
    Ok(values.chunks_exact(c.max(1)).map(best).collect())
}
