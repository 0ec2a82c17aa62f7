//! Densely connected networks, with torchvision's names.

use super::network::{Body, Network, NetworkOptions, chain, step};
use crate::error::Result;
use crate::kernels::{Activation, Pool, cat};
use crate::nn::init::{FanMode, Init};
use crate::nn::{
    AvgPool2d, BatchNorm, Conv2d, Conv2dConfig, ConvNorm, GlobalAvgPool2d, Linear, MaxPool2d, Module, Params, Relu,
};
use candle_core::Tensor;

/// A DenseNet (Huang et al., *Densely Connected Convolutional Networks*, 2017) as in torchvision: each layer gets the
/// features of all earlier layers of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenseNet {
    /// Layers in each of the four blocks.
    pub depths: [usize; 4],
    /// Channels that each layer adds.
    pub growth: usize,
    /// Channels after the first convolution.
    pub stem: usize,
}

impl DenseNet {
    /// The convolutional part: images `[N, 3, H, W]` → features `[N, channels, H/32, W/32]`. As in fast.ai, these are
    /// the values before the last ReLU.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        let mut body = Body::new();
        let name = |child: &str| format!("features.{child}");
        let config = Conv2dConfig::new(3, self.stem, 7).stride(2).init(Init::KaimingNormal { mode: FanMode::FanIn });
        let (conv, norm) = (name("conv0"), name("norm0"));
        let stem = ConvNorm::new(&config, Activation::Relu, &params.pp(&conv), &params.pp(&norm))?;
        body.push(&[conv, norm], step(stem)); // [N, H/2, W/2, stem]
        body.push(&[], step(MaxPool2d(Pool::new(3, 2, 1))));
        let mut channels = self.stem;
        for (i, depth) in self.depths.into_iter().enumerate() {
            let block = name(&format!("denseblock{}", i + 1));
            let layers: Vec<DenseLayer> = (0..depth)
                .map(|layer| {
                    let params = params.pp(format!("{block}.denselayer{}", layer + 1));
                    DenseLayer::new(channels + layer * self.growth, self.growth, &params)
                })
                .collect::<Result<_>>()?;
            let forward = move |xs: &Tensor, train: bool| {
                layers.iter().try_fold(xs.clone(), |xs, layer| Ok(cat(&[&xs, &layer.forward(&xs, train)?])?))
            };
            body.push(&[block], Box::new(forward));
            channels += depth * self.growth;
            if i == 1 {
                body.split_here(); // fast.ai's `features[:7]`
            }
            if i < 3 {
                let transition = name(&format!("transition{}", i + 1));
                let layer = Transition::new(channels, channels / 2, &params.pp(&transition))?;
                body.push(&[transition], Box::new(move |xs, train| layer.forward(xs, train)));
                channels /= 2;
            }
        }
        body.push(&[name("norm5")], step(BatchNorm::new(channels, &params.pp(name("norm5")))?));
        Ok(body.finish(channels))
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body(params)?;
        let (weight, bias) = (Init::Default, Some(Init::Zeros));
        let head = Linear::with_init(body.channels(), options.n_classes, weight, bias, &params.pp("classifier"))?;
        Ok(Network::new(body, chain(vec![step(Relu), step(GlobalAvgPool2d)]), step(head), "classifier"))
    }
}

/// 1 x 1 and 3 x 3 convolution, each behind its normalisation: `[N, H, W, from]` to `[N, H, W, growth]`.
struct DenseLayer {
    norm1: BatchNorm,
    /// With `norm2` behind it.
    conv1: ConvNorm,
    conv2: Conv2d,
}

impl DenseLayer {
    fn new(from: usize, growth: usize, params: &Params) -> Result<DenseLayer> {
        let narrow = 4 * growth;
        let config =
            |from, to, kernel| Conv2dConfig::new(from, to, kernel).init(Init::KaimingNormal { mode: FanMode::FanIn });
        let norm1 = BatchNorm::new(from, &params.pp("norm1"))?;
        let (conv1, norm2) = (params.pp("conv1"), params.pp("norm2"));
        let conv1 = ConvNorm::new(&config(from, narrow, 1), Activation::Relu, &conv1, &norm2)?;
        Ok(DenseLayer { norm1, conv1, conv2: Conv2d::new(&config(narrow, growth, 3), &params.pp("conv2"))? })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let ys = self.norm1.forward_with(xs, train, Activation::Relu, None)?;
        self.conv2.forward_channels_last(&self.conv1.forward_channels_last(&ys, train)?, train)
    }
}

/// Half the channels, half the height and width.
struct Transition {
    norm: BatchNorm,
    conv: Conv2d,
}

impl Transition {
    fn new(from: usize, to: usize, params: &Params) -> Result<Transition> {
        let norm = BatchNorm::new(from, &params.pp("norm"))?;
        Ok(Transition {
            norm,
            conv: Conv2d::new(
                &Conv2dConfig::new(from, to, 1).init(Init::KaimingNormal { mode: FanMode::FanIn }),
                &params.pp("conv"),
            )?,
        })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let ys = self.norm.forward_with(xs, train, Activation::Relu, None)?;
        AvgPool2d(Pool::new(2, 2, 0)).forward_channels_last(&self.conv.forward_channels_last(&ys, train)?, train)
    }
}
