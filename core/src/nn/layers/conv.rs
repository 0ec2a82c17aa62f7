//! The convolutional layer.

use crate::error::Result;
use crate::kernels::{self, Conv};
use crate::nn::{Kind, Module, Param, Params, init, through_channels_last};
use candle_core::Tensor;

/// What a [`Conv2d`] is made of.
#[derive(Debug, Clone, Copy)]
pub struct Conv2dConfig {
    /// Channels in.
    pub from: usize,
    /// Channels out.
    pub to: usize,
    /// Side of the square kernel.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Rows and columns of zeros on each side.
    pub padding: usize,
    /// Whether it has a bias.
    pub bias: bool,
}

/// Two-dimensional convolution; `weight` is `[to, from, kernel, kernel]`. PyTorch's `nn.Conv2d`.
pub struct Conv2d {
    weight: Param,
    bias: Option<Param>,
    stride: usize,
    padding: usize,
}

impl Conv2d {
    /// A layer with PyTorch's initial values.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(config: &Conv2dConfig, params: &Params) -> Result<Conv2d> {
        let &Conv2dConfig { from, to, kernel, stride, padding, bias } = config;
        let fan_in = from * kernel * kernel;
        let shape = (to, from, kernel, kernel);
        let weight = params.add("weight", Kind::Weight, |rng, dev| init::kaiming_uniform(shape, fan_in, rng, dev))?;
        let bias = if bias {
            Some(params.add("bias", Kind::Bias, |rng, dev| init::kaiming_uniform(to, fan_in, rng, dev))?)
        } else {
            None
        };
        Ok(Conv2d { weight, bias, stride, padding })
    }

    /// A layer without bias whose weights begin as torchvision's ResNets do: `kaiming_normal_(mode="fan_out")`.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn fan_out(from: usize, to: usize, kernel: usize, stride: usize, params: &Params) -> Result<Conv2d> {
        let (shape, fan_out) = ((to, from, kernel, kernel), to * kernel * kernel);
        let weight = params.add("weight", Kind::Weight, |rng, dev| init::kaiming_normal(shape, fan_out, rng, dev))?;
        Ok(Conv2d { weight, bias: None, stride, padding: kernel / 2 })
    }
}

impl Module for Conv2d {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Param::tensor);
        let conv = Conv::new(self.stride, self.padding);
        Ok(kernels::conv2d(xs, &self.weight.tensor(), bias.as_ref(), &conv)?)
    }
}
