//! Upsampling by a convolution whose channels become pixels.

use super::conv::{Conv2d, Conv2dConfig};
use crate::error::Result;
use crate::kernels::{self, Activation};
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Module, Params, through_channels_last};
use candle_core::Tensor;

/// Upsampling to twice the height and width: a 1 x 1 convolution with bias, ReLU, and a pixel shuffle. fast.ai's
/// `PixelShuffle_ICNR` as its U-Net uses it, without normalisation and blur.
///
/// The weight begins as [`Init::Icnr`], the bias at 0.
///
/// # Shapes
/// `xs` `[N, in_channels, H, W]` → `[N, out_channels, 2·H, 2·W]`
pub struct PixelShuffleIcnr(Conv2d);

/// How many times larger the images get.
const SCALE: usize = 2;

impl PixelShuffleIcnr {
    /// A layer from `in_channels` to `out_channels`. The convolution's parameters are named `0.0.weight` and
    /// `0.0.bias`, as in fast.ai.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn new(in_channels: usize, out_channels: usize, params: &Params) -> Result<PixelShuffleIcnr> {
        let config = Conv2dConfig::new(in_channels, out_channels * SCALE * SCALE, 1);
        Ok(PixelShuffleIcnr(Conv2d::new(&config.init(Init::Icnr(SCALE)).bias(Init::Zeros), &params.pp(0).pp(0))?))
    }
}

impl Module for PixelShuffleIcnr {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let ys = kernels::pixel_shuffle(&self.0.forward_with(xs, train, Activation::Relu)?, SCALE)?;
        report("PixelShuffle", &[], &ys, 0);
        Ok(ys)
    }
}
