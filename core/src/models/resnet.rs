//! Residual networks, with torchvision's names.

use super::network::{Body, Network, NetworkOptions, step};
use crate::error::Result;
use crate::kernels::{Activation, Pool};
use crate::nn::init::{FanMode, Init};
use crate::nn::{Conv2dConfig, ConvNorm, GlobalAvgPool2d, MaxPool2d, Module, Params, linear};
use candle_core::Tensor;

/// A ResNet (He et al., *Deep Residual Learning for Image Recognition*, 2016) as in torchvision: four stages of blocks
/// `relu(f(x) + x)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResNet {
    /// Blocks in each stage.
    pub depths: [usize; 4],
    /// Blocks of three convolutions, narrow in the middle, instead of two.
    pub bottleneck: bool,
}

impl ResNet {
    /// 3 x 3 convolutions in pairs.
    pub const fn basic(depths: [usize; 4]) -> ResNet {
        ResNet { depths, bottleneck: false }
    }

    /// 1 x 1, 3 x 3, 1 x 1.
    pub const fn bottleneck(depths: [usize; 4]) -> ResNet {
        ResNet { depths, bottleneck: true }
    }

    /// The convolutional part: images `[N, 3, H, W]` → features `[N, channels, H/32, W/32]`, with 512 channels in
    /// ResNet-18 and ResNet-34, 2048 in the deeper ones.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        self.body_called(["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"], params)
    }

    /// The body with its children numbered, as fast.ai cuts it off: what a U-Net has for an encoder.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub(super) fn encoder(self, params: &Params) -> Result<Body> {
        self.body_called(["0", "1", "4", "5", "6", "7"], params)
    }

    /// The body with these names for its first convolution, its normalisation and the four stages.
    fn body_called(self, [conv1, bn1, stages @ ..]: [&str; 6], params: &Params) -> Result<Body> {
        let mut body = Body::new();
        let stem = conv_norm([3, 64, 7, 2], Activation::Relu, &params.pp(conv1), &params.pp(bn1))?;
        body.push(&[conv1.into(), bn1.into()], step(stem)); // [N, H/2, W/2, 64]
        body.shrink_here(64);
        body.push(&[], step(MaxPool2d(Pool::new(3, 2, 1)))); // [N, H/4, W/4, 64]
        let mut from = 64;
        for (stage, depth) in self.depths.into_iter().enumerate() {
            if stage == 2 {
                body.split_here();
            }
            let width = 64 << stage;
            let to = if self.bottleneck { 4 * width } else { width };
            for block in 0..depth {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                if stride == 2 {
                    body.shrink_here(from);
                }
                let name = format!("{}.{block}", stages[stage]);
                let block = Block::new(self.bottleneck, [from, width, to, stride], &params.pp(&name))?;
                body.push(&[name], Box::new(move |xs, train| block.forward(xs, train)));
                from = to;
            }
        }
        Ok(body.finish(from))
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body(params)?;
        let fc = linear(body.channels(), options.n_classes, &params.pp("fc"))?;
        Ok(Network::new(body, step(GlobalAvgPool2d), step(fc), "fc"))
    }
}

fn conv_norm(
    [from, to, kernel, stride]: [usize; 4],
    activation: Activation,
    conv: &Params,
    norm: &Params,
) -> Result<ConvNorm> {
    let config = Conv2dConfig::new(from, to, kernel).stride(stride).init(Init::KaimingNormal { mode: FanMode::FanOut });
    ConvNorm::new(&config, activation, conv, norm)
}

/// Two or three convolutions and a shortcut around them.
struct Block {
    layers: Vec<ConvNorm>,
    last: ConvNorm,
    downsample: Option<ConvNorm>,
}

impl Block {
    fn new(bottleneck: bool, [from, width, to, stride]: [usize; 4], params: &Params) -> Result<Block> {
        let layer = |number: usize, shape: [usize; 4]| {
            let (conv, norm) = (params.pp(format!("conv{number}")), params.pp(format!("bn{number}")));
            conv_norm(shape, Activation::Relu, &conv, &norm)
        };
        // The stride is in the 3 x 3 convolution, as torchvision has it.
        let (layers, last) = if bottleneck {
            let layers = vec![layer(1, [from, width, 1, 1])?, layer(2, [width, width, 3, stride])?];
            (layers, layer(3, [width, to, 1, 1])?)
        } else {
            (vec![layer(1, [from, to, 3, stride])?], layer(2, [to, to, 3, 1])?)
        };
        let downsample = if stride != 1 || from != to {
            let params = params.pp("downsample");
            Some(conv_norm([from, to, 1, stride], Activation::None, &params.pp(0), &params.pp(1))?)
        } else {
            None
        };
        Ok(Block { layers, last, downsample })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let ys = self.layers.iter().try_fold(xs.clone(), |xs, layer| layer.forward_channels_last(&xs, train))?;
        let shortcut = match &self.downsample {
            Some(downsample) => downsample.forward_channels_last(xs, train)?,
            None => xs.clone(),
        };
        self.last.forward_channels_last_with(&ys, train, Some(&shortcut))
    }
}
