//! Losses, in forms that do not overflow. All return a scalar: the mean over the batch.

use crate::error::{Error, Result};
use crate::kernels;
use candle_core::{DType, Tensor};

/// Cross entropy of logits `[N, C]` and class labels `[N]`: PyTorch's `F.cross_entropy`.
///
/// # Errors
/// When the shapes do not fit or a label is not a class.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    cross_entropy_smooth(logits, labels, 0.0)
}

/// [`cross_entropy`] with label smoothing: a share `smoothing` of each target is spread over all classes.
///
/// # Errors
/// As [`cross_entropy`].
pub fn cross_entropy_smooth(logits: &Tensor, labels: &Tensor, smoothing: f64) -> Result<Tensor> {
    let nll = nll_per_item(logits, labels)?.mean_all()?;
    if smoothing == 0.0 {
        return Ok(nll);
    }
    let uniform = kernels::log_softmax(logits)?.mean_all()?.neg()?;
    Ok(((nll * (1.0 - smoothing))? + (uniform * smoothing)?)?)
}

/// The cross entropy of each item, `[N]`: `F.cross_entropy(reduction="none")`.
///
/// # Errors
/// As [`cross_entropy`].
pub fn nll_per_item(logits: &Tensor, ys: &Tensor) -> Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    let ys = labels(&ys.flatten_all()?)?;
    if ys.elem_count() != n {
        return Err(Error::Value(format!("{n} rows of logits but {} labels", ys.elem_count())));
    }
    let largest = ys.max(0)?.to_scalar::<u32>()?;
    if largest as usize >= classes {
        return Err(Error::Value(format!(
            "label {largest} is not one of the {classes} classes that the network tells apart"
        )));
    }
    Ok(kernels::cross_entropy(logits, &ys)?)
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
    Err(Error::Value(format!("predictions of shape {:?} but targets of shape {:?}", a.dims(), b.dims())))
}

/// Refuses labels that are not whole numbers, which losses and metrics would misread.
fn labels(ys: &Tensor) -> Result<Tensor> {
    match ys.dtype() {
        DType::U8 | DType::U32 | DType::I64 => Ok(ys.to_dtype(DType::U32)?),
        other => Err(Error::Value(format!("class labels must be whole numbers (u8, u32 or i64), got {other:?}"))),
    }
}
