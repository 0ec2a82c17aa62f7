//! Losses for segmentation.

use super::losses::labels;
use crate::error::{Error, Result};
use crate::kernels;
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// A loss of class scores for each pixel, with optional class weights and an optional void class. The default is plain
/// cross entropy.
///
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{PixelLoss, SegmentationLoss};
/// # fn main() -> tallow::Result<()> {
/// let scores = Tensor::new(&[[[[2f32, 0.]], [[0., 1.]]]], &Device::Cpu)?; // [1, 2, 1, 2]: two classes, two pixels
/// let mask = Tensor::new(&[[[0u32, 0]]], &Device::Cpu)?; // [1, 1, 2]
/// let of = |of| -> tallow::Result<f32> {
///     Ok(SegmentationLoss { of, ..SegmentationLoss::default() }.of(&scores, &mask)?.to_scalar()?)
/// };
/// // The digits are PyTorch's, and fast.ai's `FocalLossFlat(axis=1)` and `DiceLoss(axis=1)`.
/// assert!((of(PixelLoss::CrossEntropy)? - 0.7200949).abs() < 1e-5);
/// assert!((of(PixelLoss::focal())? - 0.3518359).abs() < 1e-5);
/// assert!((of(PixelLoss::dice())? - 1.2699454).abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SegmentationLoss {
    /// The loss of a pixel.
    pub of: PixelLoss,
    /// The weight of each class; all 1 if `None`. Cross entropy is the weighted mean, as in PyTorch; in the focal loss
    /// they multiply the cross entropies, as in fast.ai; in the Dice loss the classes' terms.
    pub weights: Option<Vec<f64>>,
    /// The class whose pixels are ignored, if any: PyTorch's `ignore_index`.
    pub void: Option<u32>,
}

/// The kind of a [`SegmentationLoss`]. `p` is the predicted probability of the pixel's true class.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelLoss {
    /// The mean cross entropy of the pixels, `-ln p`. fast.ai's `CrossEntropyLossFlat(axis=1)`.
    #[default]
    CrossEntropy,
    /// The focal loss (Lin et al., 2017), the mean of `-(1 - p)^gamma · ln p`: pixels that are already right contribute
    /// little. fast.ai's `FocalLossFlat(axis=1)`.
    Focal {
        /// How strongly confident pixels are discounted: 2 in the paper and in fast.ai, 0 for cross entropy.
        gamma: f64,
    },
    /// The Dice loss (Milletari et al., 2016): `1 - (2·Σ p·y + smooth) / (Σ p + Σ y + smooth)` for each class, over its
    /// probabilities `p` and pixels `y` (0 or 1), summed over the classes. Small objects count as much as large ones.
    /// This is the mean over the images; fast.ai's `DiceLoss` is their sum, which grows with the batch.
    Dice {
        /// Added to numerator and denominator, so that an absent class has a coefficient; 1e-6 in fast.ai.
        smooth: f64,
    },
}

impl PixelLoss {
    /// The focal loss with fast.ai's gamma of 2.
    pub fn focal() -> PixelLoss {
        PixelLoss::Focal { gamma: 2.0 }
    }

    /// The Dice loss with fast.ai's smoothing of 1e-6.
    pub fn dice() -> PixelLoss {
        PixelLoss::Dice { smooth: 1e-6 }
    }
}

impl SegmentationLoss {
    /// The same loss with a void class, whose pixels are ignored.
    #[must_use]
    pub fn void(self, void: u32) -> SegmentationLoss {
        SegmentationLoss { void: Some(void), ..self }
    }

    /// Computes the loss of a batch; 0 if all pixels are void.
    ///
    /// # Shapes
    /// `scores` `[N, C, H, W]`; `targets` classes `[N, H, W]` → `[]`
    ///
    /// # Errors
    /// [`Error::Shape`] when the shapes do not fit, or there is not one weight for each class; [`Error::Label`] when a
    /// pixel's class has no score.
    pub fn of(&self, scores: &Tensor, targets: &Tensor) -> Result<Tensor> {
        let (n, c, h, w) = scores.dims4()?;
        if targets.dims() != [n, h, w] {
            let message = format!(
                "scores [N, C, H, W] {:?} for masks {:?}: expected one class for each pixel, [N, H, W]",
                scores.dims(),
                targets.dims()
            );
            return Err(Error::shape(message, targets.dims()));
        }
        self.check_weights(c)?;
        let targets = labels(targets)?;
        check_classes(&targets, c)?;
        // Networks compute channels-last, so that this copies nothing.
        let scores = kernels::channels_last(scores)?; // [N, H, W, C]
        match self.of {
            PixelLoss::CrossEntropy => {
                Ok(kernels::mean_cross_entropy(&scores, &targets, self.weights.as_deref(), self.void)?)
            }
            PixelLoss::Focal { gamma } => self.focal(&scores.reshape((n * h * w, c))?, &targets.flatten_all()?, gamma),
            PixelLoss::Dice { smooth } => {
                self.dice(&scores.reshape((n, h * w, c))?, &targets.reshape((n, h * w))?, smooth)
            }
        }
    }

    /// The weight of a batch in a mean over batches: the denominator of [`SegmentationLoss::of`]. With it, the mean of
    /// the batches' losses equals the loss of all images together ([`crate::train::Learner::loss_weight`]).
    ///
    /// # Errors
    /// [`Error::Label`] when a pixel's class has no weight.
    pub fn weight_of(&self, targets: &Tensor) -> Result<f64> {
        if let PixelLoss::Dice { .. } = self.of {
            return Ok(targets.dims().first().copied().unwrap_or(1) as f64);
        }
        let classes = labels(&targets.flatten_all()?)?.to_vec1::<u32>()?;
        let counted = classes.iter().filter(|&&class| self.void != Some(class));
        match self.weights.as_ref().filter(|_| self.of == PixelLoss::CrossEntropy) {
            None => Ok(counted.count() as f64),
            Some(weights) => {
                let of = |&class: &u32| {
                    let n = weights.len();
                    let message = || format!("class {class} of a mask has none of the {n} class weights");
                    weights.get(class as usize).ok_or_else(|| Error::label(class, n, message()))
                };
                counted.map(of).sum()
            }
        }
    }

    fn focal(&self, scores: &Tensor, targets: &Tensor, gamma: f64) -> Result<Tensor> {
        let costs = kernels::cross_entropy(scores, targets)?; // [pixels]
        let costs = match self.class_weights(scores)? {
            Some(weights) => (costs * weights.index_select(targets, 0)?)?,
            None => costs,
        };
        let wrong = (1.0 - costs.neg()?.exp()?)?;
        // Not candle's `powf`, whose gradient at 0 is not a number.
        let factor = if gamma == 2.0 { wrong.sqr()? } else { ((wrong + 1e-12)?.log()? * gamma)?.exp()? };
        let counts = self.counts(targets, scores.dtype())?;
        let total = counts.to_dtype(DType::F64)?.sum_all()?.to_scalar::<f64>()?.max(1.0);
        Ok(((costs * factor)? * counts)?.sum_all()?.affine(1.0 / total, 0.0)?)
    }

    fn dice(&self, scores: &Tensor, targets: &Tensor, smooth: f64) -> Result<Tensor> {
        let (n, pixels, c) = scores.dims3()?;
        let counts = self.counts(targets, scores.dtype())?.unsqueeze(1)?; // [N, 1, pixels]
        let probabilities = kernels::log_softmax(scores)?.exp()?;
        let classes = Tensor::arange(0u32, c as u32, scores.device())?;
        let shape = (n, pixels, c);
        let is_class = targets.unsqueeze(2)?.broadcast_as(shape)?.eq(&classes.broadcast_as(shape)?)?;
        let is_class = is_class.to_dtype(scores.dtype())?;
        // Products with the row of what counts are sums over the pixels.
        let inter = counts.matmul(&(&probabilities * &is_class)?)?; // [N, 1, C]
        let union = counts.matmul(&(probabilities + is_class)?)?;
        let coefficients = ((inter * 2.0)? + smooth)?.div(&(union + smooth)?)?;
        let mut shares = self.weights.clone().unwrap_or_else(|| vec![1.0; c]);
        if let Some(void) = self.void.and_then(|void| shares.get_mut(void as usize)) {
            *void = 0.0;
        }
        let shares = Tensor::new(shares, scores.device())?.to_dtype(scores.dtype())?;
        Ok((1.0 - coefficients)?.broadcast_mul(&shares)?.sum_all()?.affine(1.0 / n as f64, 0.0)?)
    }

    /// 1 for pixels that count, 0 for void ones.
    fn counts(&self, targets: &Tensor, dtype: DType) -> Result<Tensor> {
        Ok(match self.void {
            Some(void) => targets.ne(void)?.to_dtype(dtype)?,
            None => Tensor::ones(targets.shape(), dtype, targets.device())?,
        })
    }

    fn class_weights(&self, scores: &Tensor) -> Result<Option<Tensor>> {
        let on_device =
            |weights: &Vec<f64>| Ok(Tensor::new(weights.as_slice(), scores.device())?.to_dtype(scores.dtype())?);
        self.weights.as_ref().map(on_device).transpose()
    }

    fn check_weights(&self, classes: usize) -> Result<()> {
        match self.weights.as_ref().map(Vec::len).filter(|&n| n != classes) {
            Some(n) => {
                let message = format!("{n} class weights for {classes} classes: expected one for each");
                Err(Error::shape(message, &[n]))
            }
            None => Ok(()),
        }
    }
}

/// Checks that each pixel's class has a score.
fn check_classes(targets: &Tensor, classes: usize) -> Result<()> {
    let largest = targets.flatten_all()?.max(0)?.to_scalar::<u32>()?;
    if (largest as usize) < classes {
        return Ok(());
    }
    let message = format!("a mask holds the class {largest}, and the network tells {classes} apart (0 to n - 1)");
    Err(Error::label(largest, classes, message))
}
