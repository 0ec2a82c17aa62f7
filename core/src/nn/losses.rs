//! Losses: PyTorch's `torch.nn.functional`, in forms that do not overflow. All but [`nll_per_item`] return a scalar,
//! the mean over the batch.
//!
//! ```
//! use tallow::candle::{Device, Tensor};
//! use tallow::nn::losses;
//! # fn main() -> tallow::Result<()> {
//! let logits = Tensor::new(&[[2f32, 1., 0.1], [0., 3., 0.]], &Device::Cpu)?;
//! let labels = Tensor::new(&[0u32, 1], &Device::Cpu)?;
//! let near = |loss: Tensor, expected: f32| -> tallow::Result<bool> {
//!     Ok((loss.to_scalar::<f32>()? - expected).abs() < 1e-6)
//! };
//! // PyTorch's `F.cross_entropy(logits, labels)`, and with `label_smoothing=0.1`
//! assert!(near(losses::cross_entropy(&logits, &labels)?, 0.2559764)?);
//! assert!(near(losses::cross_entropy_smooth(&logits, &labels, 0.1)?, 0.4043098)?);
//! // `F.mse_loss` and `F.l1_loss`
//! let (preds, targets) = (Tensor::new(&[1f32, 2.], &Device::Cpu)?, Tensor::new(&[0f32, 4.], &Device::Cpu)?);
//! assert!(near(losses::mse(&preds, &targets)?, 2.5)? && near(losses::l1(&preds, &targets)?, 1.5)?);
//! # Ok(())
//! # }
//! ```

use crate::error::{Error, Result};
use crate::kernels;
use candle_core::{DType, Tensor};

/// The cross entropy of logits and targets. PyTorch's `F.cross_entropy`.
///
/// ```text
/// loss = -1/N · Σ_n log softmax(logits[n])[targets[n]]
/// ```
///
/// # Shapes
/// `logits` `[N, C]`; `targets` class labels `[N]`, or a probability for each class `[N, C]`, such as mixup's → `[]`
///
/// # Errors
/// [`Error::Shape`] when the shapes do not fit, [`Error::Label`] when a label is not below `C`.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    CrossEntropy::default().of(logits, targets)
}

/// [`cross_entropy`] with label smoothing (Szegedy et al., 2015): the fraction `smoothing` of each target is spread
/// evenly over all classes. PyTorch's `F.cross_entropy(label_smoothing=..)`.
///
/// # Shapes
/// `logits` `[N, C]`; `targets` `[N]` or `[N, C]` → `[]`
///
/// # Errors
/// [`Error::Shape`] when the shapes do not fit, [`Error::Label`] when a label is not below `C`.
pub fn cross_entropy_smooth(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Result<Tensor> {
    CrossEntropy { smoothing, ..CrossEntropy::default() }.of(logits, targets)
}

/// The mean [`cross_entropy`] over all steps of sequences. fast.ai's `CrossEntropyLossFlat`.
///
/// # Shapes
/// `logits` `[N, T, C]`; `targets` class labels `[N, T]` → `[]`
///
/// # Errors
/// [`Error::Shape`] when the shapes do not fit, [`Error::Label`] when a label is not below `C`.
pub fn cross_entropy_of_each(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let classes = logits.dims().last().copied().unwrap_or(1);
    let rows = logits.elem_count() / classes.max(1);
    let targets = known(&targets.flatten_all()?, rows, classes)?;
    Ok(kernels::mean_cross_entropy(&logits.reshape((rows, classes))?, &targets, None, None)?)
}

/// Cross entropy with class weights and label smoothing. PyTorch's `nn.CrossEntropyLoss`.
///
/// ```
/// use tallow::candle::Tensor;
/// use tallow::nn::losses::CrossEntropy;
/// # fn main() -> tallow::Result<()> {
/// # use tallow::candle::Device;
/// let logits = Tensor::new(&[[2f32, 1., 0.1], [0., 3., 0.]], &Device::Cpu)?;
/// let labels = Tensor::new(&[0u32, 1], &Device::Cpu)?;
/// let loss = CrossEntropy { weights: Some(vec![1.0, 1.0, 5.0]), smoothing: 0.1, ..CrossEntropy::default() };
/// // PyTorch's `F.cross_entropy(logits, labels, weight=tensor([1., 1., 5.]), label_smoothing=0.1)`
/// assert!((loss.of(&logits, &labels)?.to_scalar::<f32>()? - 0.7651067).abs() < 1e-6);
/// assert_eq!(loss.weight_of(&labels)?, 2.0); // 1 + 1
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CrossEntropy {
    /// The fraction of each target that is spread evenly over all classes, 0 by default: label smoothing (Szegedy et
    /// al., 2015).
    pub smoothing: f64,
    /// The weight of each class; all 1 if `None`, the default. With labels the loss is then the weighted mean over
    /// items; with probabilities as targets it remains the plain mean, as in PyTorch.
    pub weights: Option<Vec<f64>>,
    /// The label of items that do not count, neither in the sum nor in what it is divided by; none by default.
    /// PyTorch's `ignore_index`, which is -100 there: labels may be `i64`. As there, a batch in which all are ignored
    /// has the loss NaN.
    pub ignore_index: Option<i64>,
}

impl CrossEntropy {
    /// Computes the loss of a batch.
    ///
    /// # Shapes
    /// `logits` `[N, C]`; `targets` class labels `[N]` or probabilities `[N, C]` → `[]`
    ///
    /// # Errors
    /// [`Error::Shape`] when the shapes do not fit or there is not one weight for each class, [`Error::Label`] when a
    /// label is not below `C`.
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
        if weights.is_none() && self.ignore_index.is_none() {
            let nll = nll_per_item(logits, targets)?.mean_all()?;
            return self.blend(nll, || Ok(kernels::log_softmax(logits)?.mean_all()?.neg()?));
        }
        let (targets, counted) = self.counted(&targets.flatten_all()?)?;
        let nll = nll_per_item(logits, &targets)?;
        let counted = counted.to_dtype(logits.dtype())?;
        let of_items = match &weights {
            Some(weights) => (weights.index_select(&targets, 0)? * &counted)?, // [N]
            None => counted.clone(),
        };
        let total = of_items.sum_all()?;
        self.blend((nll * of_items)?.sum_all()?.div(&total)?, || {
            let costs = kernels::log_softmax(logits)?.neg()?.broadcast_mul(&counted.unsqueeze(1)?)?;
            let costs = match &weights {
                Some(weights) => costs.broadcast_mul(weights)?,
                None => costs,
            };
            Ok(costs.sum_all()?.affine(1.0 / classes as f64, 0.0)?.div(&total)?)
        })
    }

    /// The labels with 0 for those that do not count, and 1 for each that counts, `[N]` both.
    fn counted(&self, targets: &Tensor) -> Result<(Tensor, Tensor)> {
        let Some(ignored) = self.ignore_index else {
            let labels = labels(targets)?;
            let ones = labels.ones_like()?;
            return Ok((labels, ones));
        };
        whole(targets)?;
        let targets = targets.to_dtype(DType::I64)?;
        let counted = targets.ne(ignored)?;
        let labels = labels(&counted.where_cond(&targets, &targets.zeros_like()?)?)?;
        Ok((labels, counted))
    }

    /// The weight of a batch in a mean over batches: the sum of its labels' class weights, or the number of its items
    /// if the loss is a plain mean. With it, the mean of the batches' losses equals the loss of all items together
    /// ([`crate::train::Learner::loss_weight`]).
    ///
    /// # Errors
    /// When a label has no weight.
    pub fn weight_of(&self, targets: &Tensor) -> Result<f64> {
        let n = targets.dims().first().copied().unwrap_or(1) as f64;
        if targets.dtype().is_float() || (self.weights.is_none() && self.ignore_index.is_none()) {
            return Ok(n);
        }
        let (labels, counted) = self.counted(&targets.flatten_all()?)?;
        let (labels, counted) = (labels.to_vec1::<u32>()?, counted.to_dtype(DType::F64)?.to_vec1::<f64>()?);
        let Some(weights) = &self.weights else { return Ok(counted.iter().sum()) };
        let of = |(&label, &counted): (&u32, &f64)| {
            let n = weights.len();
            let message = || format!("label {label} has none of the {n} class weights");
            let weight = weights.get(label as usize).ok_or_else(|| Error::label(label, n, message()))?;
            Ok(weight * counted)
        };
        labels.iter().zip(&counted).map(of).sum()
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

/// Class weights in the logits' type and on their device.
fn class_weights(weights: &[f64], logits: &Tensor) -> Result<Tensor> {
    let classes = logits.dims2()?.1;
    if weights.len() != classes {
        let n = weights.len();
        return Err(Error::shape(format!("{n} class weights for {classes} classes: expected one for each"), &[n]));
    }
    Ok(Tensor::new(weights, logits.device())?.to_dtype(logits.dtype())?)
}

/// The cross entropy of each item. PyTorch's `F.cross_entropy(reduction="none")`.
///
/// # Shapes
/// `logits` `[N, C]`; `ys` class labels `[N]` → `[N]`
///
/// # Errors
/// [`Error::Shape`] when the shapes do not fit, [`Error::Label`] when a label is not below `C`.
pub fn nll_per_item(logits: &Tensor, ys: &Tensor) -> Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    Ok(kernels::cross_entropy(logits, &known(&ys.flatten_all()?, n, classes)?)?)
}

/// The labels, after a check that there are `n`, each below `classes`.
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

/// The mean binary cross entropy of logits. PyTorch's `F.binary_cross_entropy_with_logits`.
///
/// ```text
/// loss = mean(max(x, 0) - x·y + ln(1 + exp(-|x|)))
/// ```
///
/// # Shapes
/// `logits` `x` and `targets` `y` (0 to 1) of one shape → `[]`
///
/// # Examples
/// ```
/// # use tallow::candle::{Device, Tensor};
/// # fn main() -> tallow::Result<()> {
/// let (x, y) = (Tensor::new(&[2f32, -1.], &Device::Cpu)?, Tensor::new(&[1f32, 0.], &Device::Cpu)?);
/// let loss = tallow::nn::losses::bce_with_logits(&x, &y)?.to_scalar::<f32>()?;
/// assert!((loss - 0.2200949).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Shape`] when the shapes differ.
pub fn bce_with_logits(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    same_shape(logits, targets)?;
    Ok(kernels::bce_with_logits(logits, targets)?.mean_all()?)
}

/// [`bce_with_logits`] in which a yes of class `c` counts `pos_weight[c]` times: PyTorch's
/// `F.binary_cross_entropy_with_logits(pos_weight=..)`. The number of noes for each yes makes up for rare classes.
///
/// ```text
/// loss = mean(p·y·ln(1 + exp(-x)) + (1 - y)·ln(1 + exp(x)))
/// ```
///
/// # Shapes
/// `logits` `x` and `targets` `y` (0 to 1) `[.., C]`, `pos_weight` `p` of length `C` → `[]`
///
/// # Errors
/// [`Error::Shape`] when the shapes differ, or there is not one weight for each class.
pub fn bce_with_logits_weighted(logits: &Tensor, targets: &Tensor, pos_weight: &[f64]) -> Result<Tensor> {
    same_shape(logits, targets)?;
    let classes = logits.dims().last().copied().unwrap_or(1);
    if pos_weight.len() != classes {
        let n = pos_weight.len();
        return Err(Error::shape(format!("{n} weights for {classes} classes: expected one for each"), &[n]));
    }
    let weights = Tensor::new(pos_weight, logits.device())?.to_dtype(logits.dtype())?;
    let yes = kernels::bce_with_logits(logits, &targets.ones_like()?)?.broadcast_mul(&weights)?;
    let no = kernels::bce_with_logits(logits, &targets.zeros_like()?)?;
    Ok(((yes * targets)? + (no * targets.affine(-1.0, 1.0)?)?)?.mean_all()?)
}

/// The mean squared error, `mean((preds - targets)²)`. PyTorch's `F.mse_loss`.
///
/// # Shapes
/// `preds` and `targets` of one shape → `[]`
///
/// # Errors
/// [`Error::Shape`] when the shapes differ.
pub fn mse(preds: &Tensor, targets: &Tensor) -> Result<Tensor> {
    same_shape(preds, targets)?;
    Ok((preds - targets)?.sqr()?.mean_all()?)
}

/// The mean absolute error, `mean(|preds - targets|)`. PyTorch's `F.l1_loss`.
///
/// # Shapes
/// `preds` and `targets` of one shape → `[]`
///
/// # Errors
/// [`Error::Shape`] when the shapes differ.
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

/// The labels as `u32`. Labels that are not integers are an error, since losses and metrics would misread them, and so
/// are those that no class can have.
pub(crate) fn labels(ys: &Tensor) -> Result<Tensor> {
    whole(ys)?;
    if ys.dtype() == DType::I64 {
        let all = ys.flatten_all()?.to_vec1::<i64>()?;
        if let Some(label) = all.iter().find(|&&label| u32::try_from(label).is_err()) {
            let what = "is not the number of a class; PyTorch's -100, for what is to be left out, is `ignore_index` of \
                        `CrossEntropy`";
            return Err(Error::Value(format!("label {label} {what}")));
        }
    }
    Ok(ys.to_dtype(DType::U32)?)
}

fn whole(ys: &Tensor) -> Result<()> {
    match ys.dtype() {
        DType::U8 | DType::U32 | DType::I64 => Ok(()),
        other => Err(Error::Value(format!("class labels must be whole numbers (u8, u32 or i64), got {other:?}"))),
    }
}
