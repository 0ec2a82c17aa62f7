//! MobileNet v3, with torchvision's names.

use super::network::{Body, Network, NetworkOptions, chain, step};
use crate::error::Result;
use crate::kernels::{Activation, activate, global_avg_pool2d, scale, trace::reshape};
use crate::nn::init::{FanMode, Init};
use crate::nn::{Conv2d, Conv2dConfig, ConvNorm, Dropout, GlobalAvgPool2d, Linear, Params};
use candle_core::Tensor;

/// MobileNet v3 (Howard et al., *Searching for MobileNetV3*, 2019) as in torchvision: inverted residual blocks with
/// squeeze-and-excitation and hard swish, in two sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MobileNetV3 {
    /// `mobilenet_v3_small`: 2.5 million parameters.
    Small,
    /// `mobilenet_v3_large`: 5.5 million parameters.
    Large,
}

/// An inverted residual block: input, expanded and output channels, kernel, stride; whether it has
/// squeeze-and-excitation; whether its activation is hard swish.
type Shape = ([usize; 5], bool, bool);

const SMALL: [Shape; 11] = [
    ([16, 16, 16, 3, 2], true, false),
    ([16, 72, 24, 3, 2], false, false),
    ([24, 88, 24, 3, 1], false, false),
    ([24, 96, 40, 5, 2], true, true),
    ([40, 240, 40, 5, 1], true, true),
    ([40, 240, 40, 5, 1], true, true),
    ([40, 120, 48, 5, 1], true, true),
    ([48, 144, 48, 5, 1], true, true),
    ([48, 288, 96, 5, 2], true, true),
    ([96, 576, 96, 5, 1], true, true),
    ([96, 576, 96, 5, 1], true, true),
];

const LARGE: [Shape; 15] = [
    ([16, 16, 16, 3, 1], false, false),
    ([16, 64, 24, 3, 2], false, false),
    ([24, 72, 24, 3, 1], false, false),
    ([24, 72, 40, 5, 2], true, false),
    ([40, 120, 40, 5, 1], true, false),
    ([40, 120, 40, 5, 1], true, false),
    ([40, 240, 80, 3, 2], false, true),
    ([80, 200, 80, 3, 1], false, true),
    ([80, 184, 80, 3, 1], false, true),
    ([80, 184, 80, 3, 1], false, true),
    ([80, 480, 112, 3, 1], true, true),
    ([112, 672, 112, 3, 1], true, true),
    ([112, 672, 160, 5, 2], true, true),
    ([160, 960, 160, 5, 1], true, true),
    ([160, 960, 160, 5, 1], true, true),
];

/// torchvision's epsilon.
const EPS: f64 = 1e-3;

impl MobileNetV3 {
    /// The convolutional part: images `[N, 3, H, W]` → features `[N, 576, H/32, W/32]`, or 960 channels in the large
    /// one. `norm_eps` is the epsilon of batch normalisation; torchvision's 1e-3 if `None`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, norm_eps: Option<f64>, params: &Params) -> Result<Body> {
        let eps = norm_eps.unwrap_or(EPS);
        let shapes: &[Shape] = match self {
            MobileNetV3::Small => &SMALL,
            MobileNetV3::Large => &LARGE,
        };
        let mut body = Body::new();
        let name = |index: usize| format!("features.{index}");
        let stem = conv_norm(Conv2dConfig::new(3, 16, 3).stride(2), Activation::HardSwish, eps, &params.pp(name(0)))?;
        body.push(&[name(0)], step(stem));
        let mut from = 16;
        for (i, shape) in shapes.iter().enumerate() {
            let block = InvertedResidual::new(*shape, eps, &params.pp(name(i + 1)).pp("block"))?;
            body.push(&[name(i + 1)], Box::new(move |xs, train| block.forward(xs, train)));
            from = shape.0[2];
        }
        let last = name(shapes.len() + 1);
        let layer = conv_norm(Conv2dConfig::new(from, 6 * from, 1), Activation::HardSwish, eps, &params.pp(&last))?;
        body.push(&[last], step(layer));
        Ok(body.finish(6 * from))
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body(options.norm_eps, params)?;
        let params = params.pp("classifier");
        let hidden = match self {
            MobileNetV3::Small => 1024,
            MobileNetV3::Large => 1280,
        };
        let linear = |from: usize, to: usize, name: usize| {
            Linear::with_init(from, to, Init::Normal(0.01), Some(Init::Zeros), &params.pp(name))
        };
        let neck = vec![
            step(GlobalAvgPool2d),
            step(linear(body.channels(), hidden, 0)?),
            Box::new(|xs: &Tensor, _: bool| Ok(activate(xs, Activation::HardSwish)?)),
            step(Dropout::new(options.dropout.unwrap_or(0.2), &params.pp(2))?),
        ];
        Ok(Network::new(body, chain(neck), step(linear(hidden, options.n_classes, 3)?), "classifier"))
    }
}

fn conv_norm(config: Conv2dConfig, activation: Activation, eps: f64, params: &Params) -> Result<ConvNorm> {
    let layer = ConvNorm::new(
        &config.init(Init::KaimingNormal { mode: FanMode::FanOut }),
        activation,
        &params.pp(0),
        &params.pp(1),
    )?;
    Ok(layer.with_norm(eps, 0.01))
}

/// More channels, a depthwise convolution, fewer channels, and a shortcut where the shape stays.
struct InvertedResidual {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    excite: Option<SqueezeExcitation>,
    project: ConvNorm,
    shortcut: bool,
}

impl InvertedResidual {
    fn new(shape: Shape, eps: f64, params: &Params) -> Result<InvertedResidual> {
        let ([from, wide, to, kernel, stride], excited, hard_swish) = shape;
        let activation = if hard_swish { Activation::HardSwish } else { Activation::Relu };
        let mut places = (0..).map(|i| params.pp(i));
        let mut next = || places.next().unwrap_or_else(|| params.clone());
        let expand = if wide == from {
            None
        } else {
            Some(conv_norm(Conv2dConfig::new(from, wide, 1), activation, eps, &next())?)
        };
        let config = Conv2dConfig::new(wide, wide, kernel).stride(stride).groups(wide);
        let depthwise = conv_norm(config, activation, eps, &next())?;
        let excite = if excited { Some(SqueezeExcitation::new(wide, &next())?) } else { None };
        let project = conv_norm(Conv2dConfig::new(wide, to, 1), Activation::None, eps, &next())?;
        Ok(InvertedResidual { expand, depthwise, excite, project, shortcut: stride == 1 && from == to })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let residual = Some(xs).filter(|_| self.shortcut);
        let mut layers: Vec<&ConvNorm> = self.expand.iter().chain([&self.depthwise]).collect();
        let Some(excite) = &self.excite else {
            layers.push(&self.project);
            return ConvNorm::chain(&layers, xs, train, residual);
        };
        let ys = ConvNorm::chain(&layers, xs, train, None)?;
        self.project.forward_channels_last_with(&excite.forward(&ys, train)?, train, residual)
    }
}

/// A weight for each channel of each image, out of the means of all channels (Hu et al., 2018).
struct SqueezeExcitation {
    fc1: Conv2d,
    fc2: Conv2d,
}

impl SqueezeExcitation {
    fn new(channels: usize, params: &Params) -> Result<SqueezeExcitation> {
        let narrow = divisible_by_8(channels / 4);
        let conv = |from: usize, to: usize, name: &str| {
            let config =
                Conv2dConfig::new(from, to, 1).init(Init::KaimingNormal { mode: FanMode::FanOut }).bias(Init::Zeros);
            Conv2d::new(&config, &params.pp(name))
        };
        Ok(SqueezeExcitation { fc1: conv(channels, narrow, "fc1")?, fc2: conv(narrow, channels, "fc2")? })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let (n, _, _, channels) = xs.dims4()?;
        let means = reshape(&global_avg_pool2d(xs)?, (n, 1, 1, channels))?;
        let hidden = self.fc1.forward_with(&means, train, Activation::Relu)?;
        let weights = self.fc2.forward_with(&hidden, train, Activation::HardSigmoid)?;
        Ok(scale(xs, &reshape(&weights, (n, channels))?)?)
    }
}

/// The nearest multiple of 8 that is not less than nine tenths.
fn divisible_by_8(channels: usize) -> usize {
    let near = ((channels + 4) / 8 * 8).max(8);
    if 10 * near < 9 * channels { near + 8 } else { near }
}
