//! VGG networks, with torchvision's names.

use super::network::{Body, Network, NetworkOptions, chain, step};
use crate::error::Result;
use crate::kernels::{Activation, Pool};
use crate::nn::init::{FanMode, Init};
use crate::nn::{AdaptiveAvgPool2d, Conv2d, Conv2dConfig, ConvNorm, Dropout, Flatten, Linear, MaxPool2d, Params, Relu};

/// A VGG network (Simonyan and Zisserman, *Very Deep Convolutional Networks*, 2014) as in torchvision: five stages of
/// 3 x 3 convolutions, with or without batch normalisation, each followed by max pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vgg {
    /// Convolutions before each of the five poolings.
    pub depths: [usize; 5],
    /// Batch normalisation after each convolution.
    pub batch_norm: bool,
}

impl Vgg {
    /// The convolutional part: images `[N, 3, H, W]` → features `[N, 512, H/32, W/32]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        let (mut body, mut from, mut index) = (Body::new(), 3, 0);
        let name = |i: usize| format!("features.{i}");
        for (stage, depth) in self.depths.into_iter().enumerate() {
            let to = (64 << stage).min(512);
            for _ in 0..depth {
                let config = Conv2dConfig::new(from, to, 3)
                    .init(Init::KaimingNormal { mode: FanMode::FanOut })
                    .bias(Init::Zeros);
                if self.batch_norm {
                    if index >= 22 {
                        body.split_here(); // fast.ai's `features[:22]`
                    }
                    let (conv, norm) = (params.pp(name(index)), params.pp(name(index + 1)));
                    let layer = ConvNorm::new(&config, Activation::Relu, &conv, &norm)?;
                    body.push(&[name(index), name(index + 1)], step(layer));
                    index += 3;
                } else {
                    let layer = Conv2d::new(&config, &params.pp(name(index)))?;
                    body.push(
                        &[name(index)],
                        Box::new(move |xs, train| layer.forward_with(xs, train, Activation::Relu)),
                    );
                    index += 2;
                }
                from = to;
            }
            body.push(&[], step(MaxPool2d(Pool::new(2, 2, 0))));
            index += 1;
        }
        Ok(body.finish(from))
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    /// Sides must be at least 32 pixels.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body(params)?;
        let p = options.dropout.unwrap_or(0.5);
        let params = params.pp("classifier");
        let linear = |from: usize, to: usize, name: usize| {
            Linear::with_init(from, to, Init::Normal(0.01), Some(Init::Zeros), &params.pp(name))
        };
        let neck = vec![
            step(AdaptiveAvgPool2d([7, 7])),
            step(Flatten),
            step(linear(512 * 7 * 7, 4096, 0)?),
            step(Relu),
            step(Dropout::new(p, &params.pp(2))?),
            step(linear(4096, 4096, 3)?),
            step(Relu),
            step(Dropout::new(p, &params.pp(5))?),
        ];
        Ok(Network::new(body, chain(neck), step(linear(4096, options.n_classes, 6)?), "classifier"))
    }
}
