//! Layer normalisation.

use crate::error::Result;
use crate::kernels;
use crate::nn::observe::report;
use crate::nn::{Module, Param, ParamKind, Params};
use candle_core::Tensor;

/// Layer normalisation over the last axis (Ba et al., 2016). PyTorch's `nn.LayerNorm(n)`; on channels-last images
/// torchvision's `LayerNorm2d`.
///
/// ```text
/// ys = (xs - mean) / √(var + eps) · weight + bias
/// ```
///
/// Mean and biased variance are taken over the `n` values of the last axis. The layer does the same in training and in
/// inference.
///
/// # Shapes
/// - `xs` `[.., n]` → `[.., n]`
/// - `weight` and `bias` `[n]`
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{LayerNorm, Module, Params};
/// use tallow::rng::Rng;
/// # fn main() -> tallow::Result<()> {
/// let layer = LayerNorm::new(3, 1e-5, &Params::new(&Rng::new(42), &Device::Cpu))?;
/// let ys = layer.forward(&Tensor::new(&[[1f32, 2., 3.]], &Device::Cpu)?, false)?;
/// let expected = [-1.2247356f32, 0.0, 1.2247356]; // PyTorch's
/// assert!(ys.to_vec2::<f32>()?[0].iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-5));
/// # Ok(())
/// # }
/// ```
pub struct LayerNorm {
    weight: Param,
    bias: Param,
    eps: f64,
}

impl LayerNorm {
    /// A layer for `n` features, with scale 1 and shift 0. `eps` is added to the variance; PyTorch's default is 1e-5.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn new(n: usize, eps: f64, params: &Params) -> Result<LayerNorm> {
        let weight = params.constant("weight", ParamKind::Norm, n, 1.0)?;
        Ok(LayerNorm { weight, bias: params.constant("bias", ParamKind::Norm, n, 0.0)?, eps })
    }
}

impl Module for LayerNorm {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let ys = kernels::layer_norm(xs, &self.weight.tensor(), &self.bias.tensor(), self.eps)?;
        report("LayerNorm", &[&self.weight, &self.bias], &ys, 0);
        Ok(ys)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}
