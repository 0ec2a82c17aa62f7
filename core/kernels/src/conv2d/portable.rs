//! Convolution out of candle's own operations: for other devices and types.

use super::ConvParams;
use crate::{channels_first, channels_last};
use candle_core::{Result, Tensor};

/// candle's own convolution and its gradients are right, if slow, for one stride and no dilation, where the windows
/// leave no rows and columns over. The rest is brought to that form.
pub(super) fn portable(xs: &Tensor, weight: &Tensor, conv: &ConvParams) -> Result<Tensor> {
    let weight = spread(&spread(weight, 2, conv.dilation[0])?, 3, conv.dilation[1])?;
    let (_, _, kh, kw) = weight.dims4()?;
    let stride = if conv.stride[0] == conv.stride[1] { conv.stride[0] } else { 1 };
    let [rows, cols] = conv.padding;
    let padded = xs.pad_with_zeros(1, rows[0], rows[1])?.pad_with_zeros(2, cols[0], cols[1])?;
    let used = |size: usize, kernel: usize| (size - kernel) / stride * stride + kernel;
    let padded = padded.narrow(1, 0, used(padded.dim(1)?, kh))?.narrow(2, 0, used(padded.dim(2)?, kw))?;
    let ys = channels_last(&channels_first(&padded)?.conv2d(&weight, 0, stride, 1, conv.groups)?)?;
    if conv.stride[0] == conv.stride[1] { Ok(ys) } else { every(&every(&ys, 1, conv.stride[0])?, 2, conv.stride[1]) }
}

/// Puts `dilation - 1` zeros between neighbours along an axis.
fn spread(weight: &Tensor, axis: usize, dilation: usize) -> Result<Tensor> {
    if dilation == 1 {
        return Ok(weight.clone());
    }
    let mut dims = weight.dims().to_vec();
    dims[axis] *= dilation;
    let apart = weight.unsqueeze(axis + 1)?.pad_with_zeros(axis + 1, 0, dilation - 1)?.reshape(dims)?;
    apart.narrow(axis, 0, dilation * (weight.dim(axis)? - 1) + 1)
}

/// Every `step`-th slice along an axis.
fn every(xs: &Tensor, axis: usize, step: usize) -> Result<Tensor> {
    let index: Vec<u32> = (0..xs.dim(axis)?).step_by(step).map(|i| i as u32).collect();
    xs.index_select(&Tensor::new(index, xs.device())?, axis)
}
