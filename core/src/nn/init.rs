//! How parameters begin.

use crate::error::{Error, Result};
use crate::rng::Rng;
use candle_core::{DType, Device, Shape, Tensor};

/// A distribution of initial values.
///
/// torchvision's truncated normal distributions are [`Init::Normal`] here: they are cut at ±2, twenty of their largest
/// deviation away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// What PyTorch's layers do on their own: [`kaiming_uniform`], for weights and biases alike.
    Default,
    /// [`kaiming_normal`], PyTorch's `kaiming_normal_(nonlinearity="relu")`.
    KaimingNormal {
        /// Which side of the layer the variance is kept on.
        mode: FanMode,
    },
    /// Uniform in ±√(6/`fan_in`): `kaiming_uniform_`.
    KaimingUniform,
    /// Normal around 0 with this standard deviation.
    Normal(f64),
    /// fast.ai's `trunc_normal_`: normal around 0, of which the remainder after division by two deviations is taken,
    /// times this standard deviation.
    TruncNormal(f64),
    /// Uniform between minus and plus this.
    Uniform(f64),
    /// Nothing but zeros.
    Zeros,
    /// [`icnr`], for a convolution whose channels become blocks of this many pixels in height and width.
    Icnr(usize),
}

/// PyTorch's `mode` of Kaiming initialisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FanMode {
    /// `fan_in`, the number of inputs to each output: keeps the variance of the forward pass.
    FanIn,
    /// `fan_out`, the number of outputs of each input: keeps the variance of the backward pass.
    FanOut,
}

impl Init {
    /// Draws the values of a tensor of a layer whose outputs see `fan_in` inputs each, and whose inputs `fan_out`
    /// outputs.
    ///
    /// # Errors
    /// When the device cannot hold the tensor.
    pub fn draw(
        self,
        shape: impl Into<Shape>,
        [fan_in, fan_out]: [usize; 2],
        rng: &mut Rng,
        device: &Device,
    ) -> Result<Tensor> {
        match self {
            Init::Icnr(r) => icnr(shape, fan_in, r, rng, device),
            Init::Default => kaiming_uniform(shape, fan_in, rng, device),
            Init::KaimingNormal { mode: FanMode::FanIn } => kaiming_normal(shape, fan_in, rng, device),
            Init::KaimingNormal { mode: FanMode::FanOut } => kaiming_normal(shape, fan_out, rng, device),
            Init::KaimingUniform => {
                let bound = (6.0 / fan_in.max(1) as f64).sqrt();
                rng.rand(shape, -bound, bound, device)
            }
            Init::Normal(deviation) => rng.randn(shape, deviation, device),
            Init::TruncNormal(deviation) => trunc_normal(shape, deviation, rng, device),
            Init::Uniform(bound) => rng.rand(shape, -bound, bound, device),
            Init::Zeros => Ok(Tensor::zeros(shape, DType::F32, device)?),
        }
    }
}

/// PyTorch's default for linear layers and convolutions, `kaiming_uniform_(a=sqrt(5))`: uniform in ±1/√`fan_in`, for
/// weights and biases alike.
///
/// # Errors
/// When the device cannot hold the tensor.
pub fn kaiming_uniform(shape: impl Into<Shape>, fan_in: usize, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    rng.rand(shape, -bound, bound, device)
}

/// `kaiming_normal_` for ReLU (He et al., 2015): normal with standard deviation √(2/`fan`).
///
/// # Errors
/// When the device cannot hold the tensor.
pub fn kaiming_normal(shape: impl Into<Shape>, fan: usize, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    rng.randn(shape, (2.0 / fan.max(1) as f64).sqrt(), device)
}

/// ICNR (Aitken et al., 2017): [`kaiming_normal`] for one filter in `r²`, which the others of its block repeat. What a
/// pixel shuffle makes of it begins as an image whose blocks of `r` x `r` pixels are of one colour, without the
/// checkerboard that blocks of strangers make. fast.ai's `icnr_init`.
///
/// # Errors
/// When the filters are not a multiple of `r²`, or the device cannot hold the tensor.
pub fn icnr(shape: impl Into<Shape>, fan: usize, r: usize, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    let dims = shape.into().into_dims();
    let (filters, block) = (dims.first().copied().unwrap_or(0), r * r);
    if block == 0 || filters % block != 0 {
        let message = format!("{filters} filters cannot become blocks of {r} x {r} pixels");
        return Err(Error::config("channels", message));
    }
    let one_in_block: Vec<usize> = [filters / block].into_iter().chain(dims[1..].iter().copied()).collect();
    let of_all: Vec<u32> = (0..filters).map(|filter| (filter / block) as u32).collect();
    let values = kaiming_normal(one_in_block, fan, rng, device)?;
    Ok(values.index_select(&Tensor::new(of_all, device)?, 0)?)
}

/// fast.ai's `trunc_normal_`: normal numbers modulo 2, times a standard deviation. None is 2 deviations or more from 0.
///
/// # Errors
/// When the device cannot hold the tensor.
pub fn trunc_normal(shape: impl Into<Shape>, deviation: f64, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    let shape = shape.into();
    let values: Vec<f32> = (0..shape.elem_count()).map(|_| ((rng.normal() % 2.0) * deviation) as f32).collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}
