//! AlexNet, with torchvision's names.

use super::network::{Body, Network, NetworkOptions, chain, step};
use crate::error::Result;
use crate::kernels::{Activation, Pool};
use crate::nn::init::Init;
use crate::nn::{AdaptiveAvgPool2d, Conv2d, Conv2dConfig, Dropout, Flatten, MaxPool2d, Params, Relu, linear};

/// AlexNet in the version of *One weird trick for parallelizing convolutional neural networks* (Krizhevsky, 2014), as
/// in torchvision: five convolutions and three linear layers; 61,100,840 parameters for 1,000 classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlexNet;

impl AlexNet {
    /// The convolutional part: images `[N, 3, H, W]` → features `[N, 256, h, w]`, for 224 pixels 6 by 6.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        // Place in `features`, channels, kernel, stride, padding; and whether a pooling follows.
        const LAYERS: [([usize; 6], bool); 5] = [
            ([0, 3, 64, 11, 4, 2], true),
            ([3, 64, 192, 5, 1, 2], true),
            ([6, 192, 384, 3, 1, 1], false),
            ([8, 384, 256, 3, 1, 1], false),
            ([10, 256, 256, 3, 1, 1], true),
        ];
        let mut body = Body::new();
        for ([index, from, to, kernel, stride, padding], pooled) in LAYERS {
            if index == 6 {
                body.split_here(); // fast.ai's `features[:6]`
            }
            let config = Conv2dConfig::new(from, to, kernel).stride(stride).padding(padding).bias(Init::Default);
            let name = format!("features.{index}");
            let layer = Conv2d::new(&config, &params.pp(&name))?;
            body.push(&[name], Box::new(move |xs, train| layer.forward_with(xs, train, Activation::Relu)));
            if pooled {
                body.push(&[], step(MaxPool2d(Pool::new(3, 2, 0))));
            }
        }
        Ok(body.finish(256))
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    /// Sides must be at least 63 pixels.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let body = self.body(params)?;
        let p = options.dropout.unwrap_or(0.5);
        let params = params.pp("classifier");
        let neck = vec![
            step(AdaptiveAvgPool2d([6, 6])),
            step(Flatten),
            step(Dropout::new(p, &params.pp(0))?),
            step(linear(256 * 6 * 6, 4096, &params.pp(1))?),
            step(Relu),
            step(Dropout::new(p, &params.pp(3))?),
            step(linear(4096, 4096, &params.pp(4))?),
            step(Relu),
        ];
        Ok(Network::new(body, chain(neck), step(linear(4096, options.n_classes, &params.pp(6))?), "classifier"))
    }
}
