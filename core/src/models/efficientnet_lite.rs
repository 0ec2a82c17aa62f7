//! EfficientNet-Lite0, with the names of its port from TensorFlow to PyTorch.

use super::network::{Body, Network, NetworkOptions, chain, step};
use crate::error::Result;
use crate::kernels::{Activation, add};
use crate::nn::init::Init;
use crate::nn::{Conv2dConfig, ConvNorm, DropPath, Dropout, GlobalAvgPool2d, Linear, Module, Params};
use candle_core::Tensor;

/// EfficientNet-Lite0 (Tan and Le, 2019; Liu, 2020), the smallest of its family; timm's `tf_efficientnet_lite0`.
///
/// It has no squeeze-and-excitation, ReLU6 throughout and TensorFlow's padding. Images are normalised by
/// `(byte - 127) / 128`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EfficientNetLite0;

/// Stages: input and output channels, how many times wider inside, kernel, stride, blocks.
const STAGES: [[usize; 6]; 7] = [
    [32, 16, 1, 3, 1, 1],
    [16, 24, 6, 3, 2, 2],
    [24, 40, 6, 5, 2, 2],
    [40, 80, 6, 3, 2, 3],
    [80, 112, 6, 5, 1, 3],
    [112, 192, 6, 5, 2, 4],
    [192, 320, 6, 3, 1, 1],
];

const BLOCKS: usize = 16;

/// Dropout before the last layer, and skipping of the last block.
const DROPOUT: f64 = 0.2;

impl EfficientNetLite0 {
    /// The convolutional part: images `[N, 3, H, W]` → features `[N, 1280, H/32, W/32]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        self.body_with(DROPOUT, params)
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body_with(options.drop_path.unwrap_or(DROPOUT), params)?;
        let dropout = Dropout::new(options.dropout.unwrap_or(DROPOUT), &params.pp("_dropout"))?;
        let n_classes = options.n_classes;
        let weight = Init::Uniform(1.0 / (n_classes.max(1) as f64).sqrt());
        let head = Linear::with_init(1280, n_classes, weight, Some(Init::Zeros), &params.pp("_fc"))?;
        Ok(Network::new(body, chain(vec![step(GlobalAvgPool2d), step(dropout)]), step(head), "_fc"))
    }

    fn body_with(self, drop_path: f64, params: &Params) -> Result<Body> {
        let mut body = self.stages(drop_path, params)?;
        let head = conv_norm(Conv2dConfig::new(320, 1280, 1), true, ["_conv_head", "_bn1"], params)?;
        body.push(&["_conv_head".into(), "_bn1".into()], step(head));
        Ok(body.finish(1280))
    }

    /// What a U-Net has for an encoder: images to `[N, 320, H/32, W/32]`, without the last convolution, which widens
    /// features for the classifier. With it, four fifths of a U-Net's parameters would be in its middle.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub(super) fn encoder(self, params: &Params) -> Result<Body> {
        Ok(self.stages(DROPOUT, params)?.finish(320))
    }

    fn stages(self, drop_path: f64, params: &Params) -> Result<Body> {
        let mut body = Body::new();
        let stem = conv_norm(Conv2dConfig::new(3, 32, 3).stride(2), true, ["_conv_stem", "_bn0"], params)?;
        body.push(&["_conv_stem".into(), "_bn0".into()], step(stem));
        let mut index = 0;
        for [mut from, to, widen, kernel, mut stride, depth] in STAGES {
            for _ in 0..depth {
                if stride == 2 {
                    body.shrink_here(from);
                }
                let p = drop_path * index as f64 / BLOCKS as f64;
                let name = format!("_blocks.{index}");
                let block = Block::new([from, to, widen, kernel, stride], p, &params.pp(&name))?;
                body.push(&[name], Box::new(move |xs, train| block.forward(xs, train)));
                (from, stride) = (to, 1);
                index += 1;
            }
        }
        Ok(body)
    }
}

/// Weights begin as timm's do: by the outputs that an input has within its group.
fn conv_norm(config: Conv2dConfig, active: bool, [conv, norm]: [&str; 2], params: &Params) -> Result<ConvNorm> {
    let fan_out = config.out_channels / config.groups * config.kernel[0] * config.kernel[1];
    let activation = if active { Activation::Relu6 } else { Activation::None };
    let config = config.same().init(Init::Normal((2.0 / fan_out as f64).sqrt()));
    Ok(ConvNorm::new(&config, activation, &params.pp(conv), &params.pp(norm))?.with_norm(1e-3, 0.01))
}

/// An inverted residual block.
struct Block {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    /// What happens to the block's result before the shortcut is added, if there is one.
    shortcut: Option<DropPath>,
}

impl Block {
    fn new([from, to, widen, kernel, stride]: [usize; 5], drop_path: f64, params: &Params) -> Result<Block> {
        let wide = from * widen;
        let expand = if widen == 1 {
            None
        } else {
            Some(conv_norm(Conv2dConfig::new(from, wide, 1), true, ["_expand_conv", "_bn0"], params)?)
        };
        let config = Conv2dConfig::new(wide, wide, kernel).stride(stride).groups(wide);
        let depthwise = conv_norm(config, true, ["_depthwise_conv", "_bn1"], params)?;
        let project = conv_norm(Conv2dConfig::new(wide, to, 1), false, ["_project_conv", "_bn2"], params)?;
        let shortcut = if stride == 1 && from == to { Some(DropPath::new(drop_path, params)?) } else { None };
        Ok(Block { expand, depthwise, project, shortcut })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let layers: Vec<&ConvNorm> = self.expand.iter().chain([&self.depthwise, &self.project]).collect();
        match &self.shortcut {
            Some(drop_path) if train => {
                let ys = ConvNorm::chain(&layers, xs, train, None)?;
                Ok(add(&drop_path.forward_channels_last(&ys, train)?, xs)?)
            }
            // Where nothing can be dropped, the sum is a part of the normalisation.
            shortcut => ConvNorm::chain(&layers, xs, train, shortcut.as_ref().map(|_| xs)),
        }
    }
}
