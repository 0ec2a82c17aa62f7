//! SqueezeNet, with torchvision's names.

use super::network::{Body, Network, NetworkOptions, Step, chain, step};
use crate::error::Result;
use crate::kernels::{Activation, Pool, cat};
use crate::nn::init::Init;
use crate::nn::{Conv2d, Conv2dConfig, Dropout, GlobalAvgPool2d, MaxPool2d, Params};
use candle_core::Tensor;

/// SqueezeNet (Iandola et al., *AlexNet-level accuracy with 50x fewer parameters*, 2016) as in torchvision, in two
/// versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqueezeNet {
    /// `squeezenet1_0`: the published version.
    V1_0,
    /// `squeezenet1_1`: a smaller first kernel and earlier pooling, with less than half the multiply-adds.
    V1_1,
}

/// A fire module's input, squeezed and expanded channels (these twice).
const FIRES: [[usize; 3]; 8] = [
    [64, 16, 64],
    [128, 16, 64],
    [128, 32, 128],
    [256, 32, 128],
    [256, 48, 192],
    [384, 48, 192],
    [384, 64, 256],
    [512, 64, 256],
];

impl SqueezeNet {
    /// The convolutional part: images `[N, 3, H, W]` → features `[N, 512, h, w]`, for 224 pixels 13 by 13.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        // Before which fire modules there is a pooling.
        let (stem, kernel, poolings) = match self {
            SqueezeNet::V1_0 => (96, 7, [0, 3, 7]),
            SqueezeNet::V1_1 => (64, 3, [0, 2, 4]),
        };
        let mut body = Body::new();
        let layer = conv([3, stem, kernel, 2], &params.pp("features.0"))?;
        body.push(&["features.0".into()], Box::new(move |xs, train| layer.forward_with(xs, train, Activation::Relu)));
        let mut index = 2;
        for (i, [from, squeeze, expand]) in FIRES.into_iter().enumerate() {
            if poolings.contains(&i) {
                body.push(&[], step(MaxPool2d(Pool { ceil_mode: true, ..Pool::new(3, 2, 0) })));
                index += 1;
            }
            if index >= 5 {
                body.split_here(); // fast.ai's `features[:5]`
            }
            let name = format!("features.{index}");
            let from = if i == 0 { stem } else { from };
            let fire = Fire::new([from, squeeze, expand], &params.pp(&name))?;
            body.push(&[name], Box::new(move |xs, train| fire.forward(xs, train)));
            index += 1;
        }
        Ok(body.finish(512))
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body(params)?;
        let params = params.pp("classifier");
        let dropout = Dropout::new(options.dropout.unwrap_or(0.5), &params.pp(0))?;
        let config = Conv2dConfig::new(512, options.n_classes, 1).init(Init::Normal(0.01)).bias(Init::Zeros);
        let last = Conv2d::new(&config, &params.pp(1))?;
        let scores: Step = Box::new(move |xs, train| last.forward_with(xs, train, Activation::Relu));
        Ok(Network::new(body, step(dropout), chain(vec![scores, step(GlobalAvgPool2d)]), "classifier"))
    }
}

fn conv([from, to, kernel, stride]: [usize; 4], params: &Params) -> Result<Conv2d> {
    let padding = if stride == 1 { kernel / 2 } else { 0 };
    let config = Conv2dConfig::new(from, to, kernel).stride(stride).padding(padding);
    Conv2d::new(&config.init(Init::KaimingUniform).bias(Init::Zeros), params)
}

/// Few channels, from which a 1 x 1 and a 3 x 3 convolution make many: `[N, H, W, from]` to `[N, H, W, 2 * expand]`.
struct Fire {
    squeeze: Conv2d,
    expand1x1: Conv2d,
    expand3x3: Conv2d,
}

impl Fire {
    fn new([from, squeeze, expand]: [usize; 3], params: &Params) -> Result<Fire> {
        Ok(Fire {
            squeeze: conv([from, squeeze, 1, 1], &params.pp("squeeze"))?,
            expand1x1: conv([squeeze, expand, 1, 1], &params.pp("expand1x1"))?,
            expand3x3: conv([squeeze, expand, 3, 1], &params.pp("expand3x3"))?,
        })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let xs = self.squeeze.forward_with(xs, train, Activation::Relu)?;
        let expand = |conv: &Conv2d| conv.forward_with(&xs, train, Activation::Relu);
        Ok(cat(&[&expand(&self.expand1x1)?, &expand(&self.expand3x3)?])?)
    }
}
