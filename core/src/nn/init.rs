//! Initial values of parameters: PyTorch's `torch.nn.init`.
//!
//! ```
//! use tallow::candle::Device;
//! use tallow::nn::init::{kaiming_normal, kaiming_uniform};
//! use tallow::rng::Rng;
//! # fn main() -> tallow::Result<()> {
//! let mut rng = Rng::new(42);
//! // `nn.Linear(100, 50)`: uniform in ±1/√100.
//! let weight = kaiming_uniform((50, 100), 100, &mut rng, &Device::Cpu)?.flatten_all()?;
//! let (low, high) = (weight.min(0)?.to_scalar::<f32>()?, weight.max(0)?.to_scalar::<f32>()?);
//! assert!((-0.1..-0.099).contains(&low) && (0.099..0.1).contains(&high));
//! // He's: a standard deviation of √(2/50) = 0.2.
//! let weight = kaiming_normal((100, 50), 50, &mut rng, &Device::Cpu)?.flatten_all()?;
//! assert!((weight.sqr()?.mean_all()?.to_scalar::<f32>()?.sqrt() - 0.2).abs() < 0.01);
//! # Ok(())
//! # }
//! ```

use crate::error::{Error, Result};
use crate::rng::{Rng, blank_tensor};
use candle_core::{DType, Device, Shape, Tensor};

/// A distribution of initial values.
///
/// torchvision's truncated normal distributions are [`Init::Normal`] here: they are cut at ±2, which is at least twenty
/// standard deviations from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// The default of PyTorch's layers: [`kaiming_uniform`], for weights and biases alike.
    Default,
    /// [`kaiming_normal`], PyTorch's `kaiming_normal_(nonlinearity="relu")`.
    KaimingNormal {
        /// Whether the variance of the forward or of the backward pass is preserved.
        mode: FanMode,
    },
    /// Uniform in ±√(6/`fan_in`): PyTorch's `kaiming_uniform_` with `a=0`.
    KaimingUniform,
    /// Normal around 0 with this standard deviation.
    Normal(f64),
    /// [`trunc_normal`] with this standard deviation: fast.ai's `trunc_normal_`.
    TruncNormal(f64),
    /// Uniform in plus or minus this bound.
    Uniform(f64),
    /// Zeros.
    Zeros,
    /// [`icnr`], for a convolution followed by a pixel shuffle with this factor.
    Icnr(usize),
}

/// PyTorch's `mode` of Kaiming initialisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FanMode {
    /// `fan_in`, the number of inputs of each output: preserves the variance of the forward pass.
    FanIn,
    /// `fan_out`, the number of outputs of each input: preserves the variance of the backward pass.
    FanOut,
}

impl Init {
    /// Draws the initial values of a tensor. In its layer each output depends on `fan_in` inputs, and each input
    /// reaches `fan_out` outputs.
    ///
    /// # Errors
    /// When the device cannot allocate the tensor.
    pub fn draw(
        self,
        shape: impl Into<Shape>,
        [fan_in, fan_out]: [usize; 2],
        rng: &mut Rng,
        device: &Device,
    ) -> Result<Tensor> {
        if rng.is_blank() {
            return blank_tensor(shape, device);
        }
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
/// When the device cannot allocate the tensor.
pub fn kaiming_uniform(shape: impl Into<Shape>, fan_in: usize, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    rng.rand(shape, -bound, bound, device)
}

/// PyTorch's `kaiming_normal_(nonlinearity="relu")` (He et al., 2015): normal with standard deviation √(2/`fan`).
///
/// # Errors
/// When the device cannot allocate the tensor.
pub fn kaiming_normal(shape: impl Into<Shape>, fan: usize, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    rng.randn(shape, (2.0 / fan.max(1) as f64).sqrt(), device)
}

/// ICNR (Aitken et al., *Checkerboard artifact free sub-pixel convolution*, 2017): [`kaiming_normal`] for one filter of
/// each `r²`, repeated by the others. After a pixel shuffle each block of `r` x `r` pixels then begins with one value,
/// so that there is no checkerboard pattern. fast.ai's `icnr_init`.
///
/// # Shapes
/// `shape` `[filters, ..]`, where `filters` is a multiple of `r²`.
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

/// fast.ai's `trunc_normal_`: the remainder of normal numbers after division by 2, times `deviation`. All values lie
/// within two standard deviations of 0.
///
/// # Errors
/// When the device cannot allocate the tensor.
pub fn trunc_normal(shape: impl Into<Shape>, deviation: f64, rng: &mut Rng, device: &Device) -> Result<Tensor> {
    let shape = shape.into();
    if rng.is_blank() {
        return blank_tensor(shape, device);
    }
    let values: Vec<f32> = (0..shape.elem_count()).map(|_| ((rng.normal() % 2.0) * deviation) as f32).collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}
