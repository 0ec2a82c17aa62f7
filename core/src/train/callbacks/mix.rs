//! Mixup and CutMix.

use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::train::{Callback, TrainState};
use candle_core::{DType, Tensor};

/// Mixup (Zhang et al., 2018): a blend of each item with another one of its batch, and of their targets. fast.ai's
/// `MixUp`.
///
/// ```text
/// x ← λ·x + (1 - λ)·x';   y ← λ·y + (1 - λ)·y';   λ = max(b, 1 - b) for b from Beta(alpha, alpha)
/// ```
///
/// `λ` is drawn for each item. Labels `[N]` become probabilities `[N, n_classes]`, which
/// [`crate::nn::losses::cross_entropy`] accepts.
pub struct Mixup {
    n_classes: usize,
    alpha: f64,
    rng: Rng,
}

impl Mixup {
    /// Mixup with fast.ai's `alpha` of 0.4. Proportions and partners are drawn from a stream of `rng`.
    pub fn new(n_classes: usize, rng: &Rng) -> Mixup {
        Mixup { n_classes, alpha: 0.4, rng: rng.stream("mixup") }
    }

    /// Sets `alpha`; the larger it is, the closer proportions are to one half.
    #[must_use]
    pub fn alpha(self, alpha: f64) -> Mixup {
        Mixup { alpha, ..self }
    }
}

impl Callback for Mixup {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let (Some(xs), Some(ys)) = (&state.xs, &state.ys) else { return Ok(()) };
        let mut rng = batch_rng(&self.rng, state);
        let n = batch_size(xs)?;
        let lambdas: Vec<f64> = (0..n).map(|_| rng.beta(self.alpha, self.alpha)).map(|l| l.max(1.0 - l)).collect();
        let lambdas = Tensor::new(lambdas, xs.device())?; // [N]
        let partners = partners(&mut rng, xs)?;
        let blend = |own: &Tensor| -> Result<Tensor> {
            let mut shape = vec![1; own.rank()];
            shape[0] = n;
            let lambdas = lambdas.reshape(shape)?.to_dtype(own.dtype())?;
            let other = own.index_select(&partners, 0)?;
            Ok((&other + (own - &other)?.broadcast_mul(&lambdas)?)?)
        };
        let (xs, ys) = (blend(xs)?, blend(&probabilities(ys, self.n_classes)?)?);
        (state.xs, state.ys) = (Some(xs), Some(ys));
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some(format!("Mixup, {} classes, alpha {}, seed {}", self.n_classes, self.alpha, self.rng.seed()))
    }
}

/// CutMix (Yun et al., 2019): a rectangle of another image of the batch replaces the same rectangle of each image, and
/// the targets are blended by area. fast.ai's `CutMix`.
///
/// The rectangle is the same for the whole batch; the fraction of the area that remains is drawn from Beta(`alpha`,
/// `alpha`). Labels `[N]` become probabilities `[N, n_classes]`.
pub struct CutMix {
    n_classes: usize,
    alpha: f64,
    rng: Rng,
}

impl CutMix {
    /// CutMix with fast.ai's `alpha` of 1, with which all areas are equally likely. Rectangles and partners are drawn
    /// from a stream of `rng`.
    pub fn new(n_classes: usize, rng: &Rng) -> CutMix {
        CutMix { n_classes, alpha: 1.0, rng: rng.stream("cutmix") }
    }

    /// Sets `alpha`; the larger it is, the closer proportions are to one half.
    #[must_use]
    pub fn alpha(self, alpha: f64) -> CutMix {
        CutMix { alpha, ..self }
    }
}

impl Callback for CutMix {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        let (Some(xs), Some(ys)) = (&state.xs, &state.ys) else { return Ok(()) };
        let &[_, _, height, width] = xs.dims() else {
            let message = format!("cutmix needs images [N, C, H, W], got shape {:?}", xs.dims());
            return Err(Error::shape(message, xs.dims()));
        };
        let mut rng = batch_rng(&self.rng, state);
        let side = (1.0 - rng.beta(self.alpha, self.alpha)).sqrt();
        // From a middle anywhere in the image, cut off at its borders.
        let mut span = |length: usize| {
            let (half, middle) = ((length as f64 * side) as usize / 2, rng.below(length));
            middle.saturating_sub(half)..(middle + half).min(length)
        };
        let (columns, rows) = (span(width), span(height));
        let mask: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (y, x)))
            .map(|(y, x)| u8::from(rows.contains(&y) && columns.contains(&x)))
            .collect();
        let mask = Tensor::from_vec(mask, (1, 1, height, width), xs.device())?.broadcast_as(xs.shape())?;
        let partners = partners(&mut rng, xs)?;
        let cut = mask.where_cond(&xs.index_select(&partners, 0)?, xs)?;
        let share = (rows.len() * columns.len()) as f64 / (height * width) as f64;
        let ys = probabilities(ys, self.n_classes)?;
        let mixed = ((&ys * (1.0 - share))? + (ys.index_select(&partners, 0)? * share)?)?;
        (state.xs, state.ys) = (Some(cut), Some(mixed));
        Ok(())
    }

    fn describe(&self) -> Option<String> {
        Some(format!("CutMix, {} classes, alpha {}, seed {}", self.n_classes, self.alpha, self.rng.seed()))
    }
}

/// The stream of the current batch. It depends on how many batches there have been, so that a resumed run draws the
/// same.
fn batch_rng(rng: &Rng, state: &TrainState) -> Rng {
    rng.substream(state.recorder.losses.len() as u64)
}

fn batch_size(xs: &Tensor) -> Result<usize> {
    xs.dims().first().copied().ok_or_else(|| Error::shape("a batch without items cannot be mixed", &[]))
}

/// For each item the index of the one that it is mixed with, possibly itself.
fn partners(rng: &mut Rng, xs: &Tensor) -> Result<Tensor> {
    let order: Vec<u32> = rng.permutation(batch_size(xs)?).into_iter().map(|i| i as u32).collect();
    Ok(Tensor::new(order, xs.device())?)
}

/// Labels as probabilities, `[N, n_classes]`; what is a probability already stays so.
fn probabilities(ys: &Tensor, n_classes: usize) -> Result<Tensor> {
    if ys.dtype().is_float() {
        return Ok(ys.clone());
    }
    let labels = ys.to_dtype(DType::U32)?.flatten_all()?.to_vec1::<u32>()?;
    let mut rows = vec![0f32; labels.len() * n_classes];
    for (row, &label) in labels.iter().enumerate() {
        let class = label as usize;
        if class >= n_classes {
            let message = format!("label {label} is not one of the {n_classes} classes that are to be mixed");
            return Err(Error::label(label, n_classes, message));
        }
        rows[row * n_classes + class] = 1.0;
    }
    Ok(Tensor::from_vec(rows, (labels.len(), n_classes), ys.device())?)
}
