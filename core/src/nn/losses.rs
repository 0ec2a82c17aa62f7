//! Losses, in forms that do not overflow. All return a scalar: the mean over the batch.

use crate::error::{Error, Result};
use crate::kernels;
use candle_core::{DType, Tensor};

/// Cross entropy of logits `[N, C]` and targets: class labels `[N]`, or a probability for each class, `[N, C]`, as
/// mixup makes them. PyTorch's `F.cross_entropy`.
///
/// # Errors
/// When the shapes do not fit or a label is not a class.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    CrossEntropy::default().of(logits, targets)
}

/// [`cross_entropy`] with label smoothing: a share `smoothing` of each target is spread over all classes.
///
/// # Errors
/// As [`cross_entropy`].
pub fn cross_entropy_smooth(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Result<Tensor> {
    CrossEntropy { smoothing, ..CrossEntropy::default() }.of(logits, targets)
}

/// [`cross_entropy`] of each step of sequences: logits `[N, T, C]` and labels `[N, T]`, the mean over all steps.
/// fast.ai's `CrossEntropyLossFlat`.
///
/// # Errors
/// As [`cross_entropy`].
pub fn cross_entropy_of_each(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let classes = logits.dims().last().copied().unwrap_or(1);
    let rows = logits.elem_count() / classes.max(1);
    let targets = known(&targets.flatten_all()?, rows, classes)?;
    Ok(kernels::mean_cross_entropy(&logits.reshape((rows, classes))?, &targets, None, None)?)
}

/// Cross entropy with choices: PyTorch's `nn.CrossEntropyLoss`.
///
/// ```
/// use tallow::candle::Tensor;
/// use tallow::nn::losses::CrossEntropy;
/// # fn main() -> tallow::Result<()> {
/// # use tallow::candle::{DType, Device};
/// # let logits = Tensor::zeros((2, 3), DType::F32, &Device::Cpu)?;
/// # let labels = Tensor::new(&[0u32, 2], &Device::Cpu)?;
/// let rare_counts_more = CrossEntropy { weights: Some(vec![1.0, 1.0, 5.0]), smoothing: 0.1 };
/// let loss = move |logits: &Tensor, labels: &Tensor| rare_counts_more.of(logits, labels); // for a `Learner`, which
/// // gets `loss_weight` besides, so that the validation loss is that of all items together
/// # loss(&logits, &labels)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrossEntropy {
    /// The share of each target that is spread over all classes: label smoothing (Szegedy et al., 2015).
    pub smoothing: f64,
    /// How much each class counts. The mean over items is then weighted by the classes of their labels; where targets
    /// are probabilities it is the plain mean, as in PyTorch.
    pub weights: Option<Vec<f64>>,
}

impl CrossEntropy {
    /// The loss of logits `[N, C]` and targets, class labels `[N]` or probabilities `[N, C]`: the mean over the batch.
    ///
    /// # Errors
    /// As [`cross_entropy`], and when there is not one weight for each class.
    pub fn of(&self, logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
        let (n, classes) = logits.dims2()?;
        let weights = self.weights.as_ref().map(|weights| class_weights(weights, logits)).transpose()?;
        if targets.dims() == logits.dims() && targets.dtype().is_float() {
            let targets = smooth(targets, self.smoothing, classes)?;
            let costs = kernels::log_softmax(logits)?.neg()?;
            let costs = match &weights {
                Some(weights) => costs.broadcast_mul(weights)?,
                None => costs,
            };
            return Ok((costs * targets)?.sum_all()?.affine(1.0 / n as f64, 0.0)?);
        }
        let nll = nll_per_item(logits, targets)?;
        let Some(weights) = weights else {
            return self.blend(nll.mean_all()?, || Ok(kernels::log_softmax(logits)?.mean_all()?.neg()?));
        };
        let of_items = weights.index_select(&labels(&targets.flatten_all()?)?, 0)?; // [N]
        let total = of_items.sum_all()?;
        self.blend((nll * of_items)?.sum_all()?.div(&total)?, || {
            let costs = kernels::log_softmax(logits)?.neg()?.broadcast_mul(&weights)?;
            Ok(costs.sum_all()?.affine(1.0 / classes as f64, 0.0)?.div(&total)?)
        })
    }

    /// How much a batch with these targets weighs beside others: the sum of the weights of its labels, by which
    /// [`CrossEntropy::of`] divides; the number of items where the mean over them is plain. Weighed by this, the losses
    /// of batches have the loss of all items together for their mean ([`crate::train::Learner::loss_weight`]).
    ///
    /// # Errors
    /// When a label has no weight.
    pub fn weight_of(&self, targets: &Tensor) -> Result<f64> {
        let Some(weights) = self.weights.as_ref().filter(|_| !targets.dtype().is_float()) else {
            return Ok(targets.dims().first().copied().unwrap_or(1) as f64);
        };
        let labels = labels(&targets.flatten_all()?)?.to_vec1::<u32>()?;
        let of = |&label: &u32| {
            let n = weights.len();
            let message = || format!("label {label} has none of the {n} class weights");
            weights.get(label as usize).ok_or_else(|| Error::label(label, n, message()))
        };
        labels.iter().map(of).sum()
    }

    fn blend(&self, nll: Tensor, uniform: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
        if self.smoothing == 0.0 {
            return Ok(nll);
        }
        Ok(((nll * (1.0 - self.smoothing))? + (uniform()? * self.smoothing)?)?)
    }
}

fn smooth(targets: &Tensor, smoothing: f64, classes: usize) -> Result<Tensor> {
    if smoothing == 0.0 {
        return Ok(targets.clone());
    }
    Ok(targets.affine(1.0 - smoothing, smoothing / classes as f64)?)
}

/// Weights of the classes, in the logits' type and on their device.
fn class_weights(weights: &[f64], logits: &Tensor) -> Result<Tensor> {
    let classes = logits.dims2()?.1;
    if weights.len() != classes {
        let n = weights.len();
        return Err(Error::shape(format!("{n} class weights for {classes} classes: expected one for each"), &[n]));
    }
    Ok(Tensor::new(weights, logits.device())?.to_dtype(logits.dtype())?)
}

/// The cross entropy of each item, `[N]`: `F.cross_entropy(reduction="none")`.
///
/// # Errors
/// As [`cross_entropy`].
pub fn nll_per_item(logits: &Tensor, ys: &Tensor) -> Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    Ok(kernels::cross_entropy(logits, &known(&ys.flatten_all()?, n, classes)?)?)
}

/// Labels as numbers, once it is clear that there are `n` of them, each below `classes`.
fn known(ys: &Tensor, n: usize, classes: usize) -> Result<Tensor> {
    let ys = labels(ys)?;
    if ys.elem_count() != n {
        return Err(Error::shape(format!("{n} rows of logits but {} labels", ys.elem_count()), &[ys.elem_count()]));
    }
    let largest = ys.max(0)?.to_scalar::<u32>()?;
    if largest as usize >= classes {
        return Err(Error::label(
            largest,
            classes,
            format!("label {largest} is not one of the {classes} classes that the network tells apart"),
        ));
    }
    Ok(ys)
}

/// Binary cross entropy of logits and targets of the same shape, as `max(x, 0) - x·y + ln(1 + exp(-|x|))`: PyTorch's
/// `F.binary_cross_entropy_with_logits`.
///
/// # Errors
/// When the shapes differ.
pub fn bce_with_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    same_shape(logits, targets)?;
    Ok(kernels::bce_with_logits(logits, targets)?.mean_all()?)
}

/// Mean squared error: `F.mse_loss`.
///
/// # Errors
/// When the shapes differ.
pub fn mse(preds: &Tensor, targets: &Tensor) -> Result<Tensor> {
    same_shape(preds, targets)?;
    Ok((preds - targets)?.sqr()?.mean_all()?)
}

/// Mean absolute error: `F.l1_loss`.
///
/// # Errors
/// When the shapes differ.
pub fn l1(preds: &Tensor, targets: &Tensor) -> Result<Tensor> {
    same_shape(preds, targets)?;
    // Not candle's `abs`, whose gradient at 0 is 1.
    let difference = (preds - targets)?;
    Ok((kernels::relu(&difference)? + kernels::relu(&difference.neg()?)?)?.mean_all()?)
}

fn same_shape(a: &Tensor, b: &Tensor) -> Result<()> {
    if a.shape() == b.shape() {
        return Ok(());
    }
    Err(Error::shape(format!("predictions of shape {:?} but targets of shape {:?}", a.dims(), b.dims()), b.dims()))
}

/// Refuses labels that are not whole numbers, which losses and metrics would misread.
pub(crate) fn labels(ys: &Tensor) -> Result<Tensor> {
    match ys.dtype() {
        DType::U8 | DType::U32 | DType::I64 => Ok(ys.to_dtype(DType::U32)?),
        other => Err(Error::Value(format!("class labels must be whole numbers (u8, u32 or i64), got {other:?}"))),
    }
}
