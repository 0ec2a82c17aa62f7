//! Residual networks (He et al., 2016), in channels-last form and with torchvision's names.

use crate::error::Result;
use crate::kernels::{self, Activation, Pool};
use crate::nn::{BatchNorm, Conv2d, GlobalAvgPool2d, Linear, Module, Params, linear, through_channels_last};
use candle_core::Tensor;

/// ResNet-18 with a linear head for `n_classes`, as `torchvision.models.resnet18(num_classes=n_classes)`.
///
/// # Errors
/// When the device cannot hold its parameters.
pub fn resnet18(n_classes: usize, params: &Params) -> Result<ResNet> {
    ResNet::new([2, 2, 2, 2], Some(n_classes), params)
}

/// ResNet-34 with a linear head for `n_classes`.
///
/// # Errors
/// When the device cannot hold its parameters.
pub fn resnet34(n_classes: usize, params: &Params) -> Result<ResNet> {
    ResNet::new([3, 4, 6, 3], Some(n_classes), params)
}

/// A residual network of basic blocks: `[N, 3, H, W]` to scores `[N, n_classes]`, or without a head to features
/// `[N, 512, H/32, W/32]`.
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    blocks: Vec<BasicBlock>,
    fc: Option<Linear>,
}

impl ResNet {
    /// A network with `depths` blocks in its four stages; without `n_classes` it has no head.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(depths: [usize; 4], n_classes: Option<usize>, params: &Params) -> Result<ResNet> {
        let conv1 = Conv2d::fan_out(3, 64, 7, 2, &params.pp("conv1"))?;
        let bn1 = BatchNorm::new(64, &params.pp("bn1"))?;
        let (mut blocks, mut from) = (Vec::new(), 64);
        for (stage, depth) in depths.into_iter().enumerate() {
            let to = 64 << stage;
            for block in 0..depth {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push(BasicBlock::new(from, to, stride, &params.pp(format!("layer{}.{block}", stage + 1)))?);
                from = to;
            }
        }
        let fc = n_classes.map(|n| linear(from, n, &params.pp("fc"))).transpose()?;
        Ok(ResNet { conv1, bn1, blocks, fc })
    }

    /// The channels of the features.
    pub const FEATURES: usize = 512;
}

impl Module for ResNet {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let xs = self.conv1.forward_channels_last(xs, train)?; // [N, H/2, W/2, 64]
        let xs = self.bn1.forward_with(&xs, train, Activation::Relu, None)?;
        let xs = kernels::max_pool2d(&xs, &Pool::new(3, 2, 1))?; // [N, H/4, W/4, 64]
        let xs = self.blocks.iter().try_fold(xs, |xs, block| block.forward_channels_last(&xs, train))?;
        match &self.fc {
            Some(fc) => fc.forward(&GlobalAvgPool2d.forward_channels_last(&xs, train)?, train),
            None => Ok(xs), // [N, H/32, W/32, 512]
        }
    }
}

/// Two 3 x 3 convolutions and a shortcut around them.
struct BasicBlock {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Option<(Conv2d, BatchNorm)>,
}

impl BasicBlock {
    fn new(from: usize, to: usize, stride: usize, params: &Params) -> Result<BasicBlock> {
        // In torchvision's order, which is the order of the parameters.
        let conv1 = Conv2d::fan_out(from, to, 3, stride, &params.pp("conv1"))?;
        let bn1 = BatchNorm::new(to, &params.pp("bn1"))?;
        let conv2 = Conv2d::fan_out(to, to, 3, 1, &params.pp("conv2"))?;
        let bn2 = BatchNorm::new(to, &params.pp("bn2"))?;
        let downsample = if stride != 1 || from != to {
            let params = params.pp("downsample");
            Some((Conv2d::fan_out(from, to, 1, stride, &params.pp(0))?, BatchNorm::new(to, &params.pp(1))?))
        } else {
            None
        };
        Ok(BasicBlock { conv1, bn1, conv2, bn2, downsample })
    }
}

impl Module for BasicBlock {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let ys = self.conv1.forward_channels_last(xs, train)?;
        let ys = self.bn1.forward_with(&ys, train, Activation::Relu, None)?;
        let ys = self.conv2.forward_channels_last(&ys, train)?;
        let shortcut = match &self.downsample {
            Some((conv, bn)) => bn.forward_channels_last(&conv.forward_channels_last(xs, train)?, train)?,
            None => xs.clone(),
        };
        self.bn2.forward_with(&ys, train, Activation::Relu, Some(&shortcut))
    }
}
