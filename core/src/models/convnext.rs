//! ConvNeXt, with torchvision's names.

use super::network::{Body, Network, NetworkOptions, chain, step};
use crate::error::Result;
use crate::kernels::{Activation, ConvParams, ConvStep, add, conv_chain, scale};
use crate::nn::init::Init;
use crate::nn::{
    Conv2d, Conv2dConfig, DropPath, GlobalAvgPool2d, LayerNorm, Linear, Module, Param, ParamKind, Params, Prepared,
};
use candle_core::Tensor;

/// A ConvNeXt (Liu et al., *A ConvNet for the 2020s*, 2022) as in torchvision: depthwise 7 x 7 convolutions, layer
/// normalisation, GELU, and stochastic depth while training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvNext {
    /// Blocks in each of the four stages.
    pub depths: [usize; 4],
    /// Channels of the first stage; they double from stage to stage.
    pub width: usize,
    /// With which probability the last block is skipped while training.
    pub drop_path: f64,
}

/// What the layer scales begin with.
const LAYER_SCALE: f32 = 1e-6;

impl ConvNext {
    /// The convolutional part: images `[N, 3, H, W]` → features `[N, 8·width, H/32, W/32]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        self.body_with(self.drop_path, params)
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body_with(options.drop_path.unwrap_or(self.drop_path), params)?;
        let params = params.pp("classifier");
        let norm = LayerNorm::new(body.channels(), 1e-6, &params.pp(0))?;
        let head = linear(body.channels(), options.n_classes, &params.pp(2))?;
        Ok(Network::new(body, chain(vec![step(GlobalAvgPool2d), step(norm)]), step(head), "classifier"))
    }

    fn body_with(self, drop_path: f64, params: &Params) -> Result<Body> {
        let mut body = Body::new();
        let blocks: usize = self.depths.iter().sum();
        let mut block = 0;
        let stem = params.pp("features.0");
        let conv = patches(3, self.width, 4, &stem.pp(0))?;
        let norm = LayerNorm::new(self.width, 1e-6, &stem.pp(1))?;
        body.push(&["features.0".into()], chain(vec![step(conv), step(norm)])); // [N, H/4, W/4, width]
        for (stage, depth) in self.depths.into_iter().enumerate() {
            let width = self.width << stage;
            if stage > 0 {
                let name = format!("features.{}", 2 * stage);
                let params = params.pp(&name);
                let norm = LayerNorm::new(width / 2, 1e-6, &params.pp(0))?;
                let conv = patches(width / 2, width, 2, &params.pp(1))?;
                body.push(&[name], chain(vec![step(norm), step(conv)]));
            }
            for i in 0..depth {
                let name = format!("features.{}.{i}", 2 * stage + 1);
                let p = drop_path * block as f64 / (blocks.max(2) - 1) as f64;
                let layer = Block::new(width, p, &params.pp(&name))?;
                body.push(&[name], Box::new(move |xs, train| layer.forward(xs, train)));
                block += 1;
            }
        }
        Ok(body.finish(8 * self.width))
    }
}

/// Initial values are torchvision's, a normal distribution cut at a hundred deviations.
fn linear(from: usize, to: usize, params: &Params) -> Result<Linear> {
    Linear::with_init(from, to, Init::Normal(0.02), Some(Init::Zeros), params)
}

/// Convolution over windows that touch each other.
fn patches(from: usize, to: usize, side: usize, params: &Params) -> Result<Conv2d> {
    let config = Conv2dConfig::new(from, to, side).stride(side).padding(0);
    Conv2d::new(&config.init(Init::Normal(0.02)).bias(Init::Zeros), params)
}

/// A depthwise convolution, two linear layers over the channels, and a shortcut around them.
struct Block {
    layer_scale: Param,
    depthwise: Conv2d,
    norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    /// `narrow` with the layer's scale in its weights.
    scaled: Prepared,
    drop_path: DropPath,
}

impl Block {
    fn new(width: usize, drop_path: f64, params: &Params) -> Result<Block> {
        let layer_scale = params.constant("layer_scale", ParamKind::Weight, (width, 1, 1), LAYER_SCALE)?;
        let inside = params.pp("block");
        let config = Conv2dConfig::new(width, width, 7).groups(width).init(Init::Normal(0.02)).bias(Init::Zeros);
        Ok(Block {
            layer_scale,
            depthwise: Conv2d::new(&config, &inside.pp(0))?,
            norm: LayerNorm::new(width, 1e-6, &inside.pp(2))?,
            widen: linear(width, 4 * width, &inside.pp(3))?,
            narrow: linear(4 * width, width, &inside.pp(5))?,
            scaled: Prepared::default(),
            drop_path: DropPath::new(drop_path, params)?,
        })
    }

    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let ys = self.norm.forward_channels_last(&self.depthwise.forward_channels_last(xs, train)?, train)?;
        if train {
            self.scaled.forget();
        }
        if self.widen.may_prepare(&ys, train) && self.narrow.may_prepare(&ys, train) {
            return self.narrowed(&ys, xs);
        }
        let ys = self.widen.forward_with(&ys, train, Activation::Gelu)?; // [N, H, W, 4 * width]
        let ys = scale(&self.narrow.forward(&ys, train)?, &self.layer_scale.tensor().flatten_all()?)?;
        Ok(add(&self.drop_path.forward_channels_last(&ys, train)?, xs)?)
    }

    /// Both linear layers, the scale and the shortcut `xs`, in inference: as one.
    fn narrowed(&self, ys: &Tensor, xs: &Tensor) -> Result<Tensor> {
        let params: Vec<&Param> = self.narrow.params().into_iter().chain([&self.layer_scale]).collect();
        let pack = || self.narrow.scaled(Some(&self.layer_scale.tensor().flatten_all()?));
        let narrow = self.scaled.get(&params, pack)?;
        let step = |conv, activation| ConvStep { conv, windows: ConvParams::new(1, 0), activation };
        let widen = self.widen.prepared()?;
        let steps = [step(&*widen, Activation::Gelu), step(&*narrow, Activation::None)];
        Ok(conv_chain(ys, &steps, Some(xs))?)
    }
}
