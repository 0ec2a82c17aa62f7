//! A chain of layers.

use super::init::Init;
use super::{
    AdaptiveConcatPool2d, BatchNorm, Conv2d, Conv2dConfig, Dropout, Flatten, Linear, MaxPool2d, Module, Params,
};
use super::{Relu, linear};
use crate::error::Result;
use crate::kernels::Pool;
use candle_core::Tensor;

/// A chain of layers, each of which gets the result of the one before. PyTorch's `nn.Sequential`: children are named
/// `0`, `1`, `2`, ...
///
/// ```
/// use tallow::candle::Device;
/// use tallow::nn::{Params, Sequential};
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&tallow::rng::Rng::new(42), &Device::Cpu);
/// let simple_net = Sequential::new(&params).linear(784, 30)?.relu().linear(30, 1)?;
/// assert_eq!(params.num_parameters(), 784 * 30 + 30 + 30 + 1);
/// assert_eq!(params.all()[2].name(), "2.weight");
/// # Ok(())
/// # }
/// ```
pub struct Sequential {
    params: Params,
    layers: Vec<Box<dyn Module>>,
}

impl Sequential {
    /// An empty chain, whose layers' parameters go into `params`.
    pub fn new(params: &Params) -> Sequential {
        Sequential { params: params.clone(), layers: Vec::new() }
    }

    /// Appends the module that `make` builds, named by its position.
    ///
    /// # Errors
    /// The error of `make`.
    #[allow(clippy::should_implement_trait)]
    pub fn add<M: Module + 'static>(mut self, make: impl FnOnce(&Params) -> Result<M>) -> Result<Sequential> {
        let layer = make(&self.params.pp(self.layers.len()))?;
        self.layers.push(Box::new(layer));
        Ok(self)
    }

    /// Appends a [`Linear`] layer with bias: `[N, in_features]` → `[N, out_features]`.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn linear(self, in_features: usize, out_features: usize) -> Result<Sequential> {
        self.add(|params| linear(in_features, out_features, params))
    }

    /// Appends a [`Linear`] layer without bias.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn linear_no_bias(self, in_features: usize, out_features: usize) -> Result<Sequential> {
        self.add(|params| Linear::new(in_features, out_features, false, params))
    }

    /// Appends a [`Conv2d`] with a square kernel and `kernel / 2` zeros on each side, so that stride 1 and an odd
    /// kernel keep the size.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn conv2d(
        self,
        in_channels: usize,
        out_channels: usize,
        kernel: usize,
        stride: usize,
        bias: bool,
    ) -> Result<Sequential> {
        let config = Conv2dConfig::new(in_channels, out_channels, kernel).stride(stride);
        let config = if bias { config.bias(Init::Default) } else { config };
        self.add(|params| Conv2d::new(&config, params))
    }

    /// Appends a [`BatchNorm`] over `n` channels or features.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn batch_norm(self, n: usize) -> Result<Sequential> {
        self.add(|params| BatchNorm::new(n, params))
    }

    /// Appends a [`Relu`].
    #[must_use]
    pub fn relu(self) -> Sequential {
        self.push(Relu)
    }

    /// Appends a [`Dropout`] with probability `p`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) when `p` is not in 0..=1.
    pub fn dropout(self, p: f64) -> Result<Sequential> {
        self.add(|params| Dropout::new(p, params))
    }

    /// Appends a [`MaxPool2d`] with square windows; lengths in pixels.
    #[must_use]
    pub fn max_pool2d(self, kernel: usize, stride: usize, padding: usize) -> Sequential {
        self.push(MaxPool2d(Pool::new(kernel, stride, padding)))
    }

    /// Appends fast.ai's [`AdaptiveConcatPool2d`]: `[N, C, H, W]` → `[N, 2·C]`.
    #[must_use]
    pub fn concat_pool2d(self) -> Sequential {
        self.push(AdaptiveConcatPool2d)
    }

    /// Appends a [`Flatten`]: `[N, C, H, W]` → `[N, C·H·W]`.
    #[must_use]
    pub fn flatten(self) -> Sequential {
        self.push(Flatten)
    }

    fn push(mut self, layer: impl Module + 'static) -> Sequential {
        self.layers.push(Box::new(layer));
        self
    }
}

impl Module for Sequential {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if xs.rank() == 4 {
            return super::through_channels_last(self, xs, train);
        }
        self.layers.iter().try_fold(xs.clone(), |xs, layer| layer.forward(&xs, train))
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.layers.iter().try_fold(xs.clone(), |xs, layer| {
            if xs.rank() == 4 { layer.forward_channels_last(&xs, train) } else { layer.forward(&xs, train) }
        })
    }
}
