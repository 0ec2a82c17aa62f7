//! Inception v3, with torchvision's names.

mod blocks;

use super::network::{Body, Network, NetworkOptions, Step, chain, step};
use crate::error::Result;
use crate::kernels::{Pool, trace::scale_shift};
use crate::nn::init::Init;
use crate::nn::{AvgPool2d, Dropout, GlobalAvgPool2d, Linear, MaxPool2d, Params};
use blocks::{Mixed, conv};
use candle_core::Tensor;

/// Inception v3 (Szegedy et al., *Rethinking the Inception Architecture for Computer Vision*, 2015) as in torchvision.
/// Images should have 299 x 299 pixels, and at least 75 x 75.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InceptionV3 {
    /// Whether images are normalised by ImageNet's means and deviations, as for other networks, instead of by 0.5 and
    /// 0.5: torchvision's `transform_input`.
    pub transform_input: bool,
    /// Whether to add the auxiliary classifier, which [`Network::forward_with_aux`] uses while training.
    pub aux: bool,
}

impl InceptionV3 {
    /// The child after which the auxiliary classifier stands.
    const BEFORE_AUX: &'static str = "Mixed_6e";

    /// The convolutional part: images `[N, 3, H, W]` → features `[N, 2048, h, w]`, for 299 pixels 8 by 8.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn body(self, params: &Params) -> Result<Body> {
        Ok(self.body_and_side(None, params)?.0)
    }

    /// A network for `options.n_classes` classes: images `[N, 3, H, W]` → scores `[N, n_classes]`.
    ///
    /// # Errors
    /// When the device cannot allocate the parameters.
    pub fn network(self, options: &NetworkOptions, params: &Params) -> Result<Network> {
        let n_classes = options.n_classes;
        let (body, side) = self.body_and_side(Some(n_classes).filter(|_| self.aux), params)?;
        let dropout = Dropout::new(options.dropout.unwrap_or(0.5), &params.pp("dropout"))?;
        let fc = linear(2048, n_classes, 0.1, &params.pp("fc"))?;
        let network = Network::new(body, chain(vec![step(GlobalAvgPool2d), step(dropout)]), step(fc), "fc");
        Ok(match side {
            Some((after, head)) => network.with_side(after, head, "AuxLogits"),
            None => network,
        })
    }

    /// The auxiliary classifier is made in the middle of the body, since that is its place in the order of parameters.
    fn body_and_side(self, classes: Option<usize>, params: &Params) -> Result<(Body, Option<(usize, Step)>)> {
        let (mut body, mut side) = (Body::new(), None);
        if self.transform_input {
            body.push(&[], Box::new(|xs, _| transform(xs)));
        }
        // Name, channels, kernel, stride, padding; and whether a pooling follows.
        let stem = [
            ("Conv2d_1a_3x3", [3, 32, 3, 2, 0], false),  // [N, 149, 149, 32]
            ("Conv2d_2a_3x3", [32, 32, 3, 1, 0], false), // [N, 147, 147, 32]
            ("Conv2d_2b_3x3", [32, 64, 3, 1, 1], true),  // [N, 73, 73, 64]
            ("Conv2d_3b_1x1", [64, 80, 1, 1, 0], false), // [N, 73, 73, 80]
            ("Conv2d_4a_3x3", [80, 192, 3, 1, 0], true), // [N, 35, 35, 192]
        ];
        for (name, [from, to, kernel, stride, padding], pooled) in stem {
            let config = conv(from, to, kernel).stride(stride).padding(padding);
            body.push(&[name.into()], step(blocks::conv_norm(&config, &params.pp(name))?));
            if pooled {
                body.push(&[], step(MaxPool2d(Pool::new(3, 2, 0))));
            }
        }
        let mixed: [(&str, Mixed); 11] = [
            ("Mixed_5b", Mixed::a(192, 32)), // [N, 35, 35, 256]
            ("Mixed_5c", Mixed::a(256, 64)), // [N, 35, 35, 288]
            ("Mixed_5d", Mixed::a(288, 64)),
            ("Mixed_6a", Mixed::b(288)), // [N, 17, 17, 768]
            ("Mixed_6b", Mixed::c(768, 128)),
            ("Mixed_6c", Mixed::c(768, 160)),
            ("Mixed_6d", Mixed::c(768, 160)),
            ("Mixed_6e", Mixed::c(768, 192)),
            ("Mixed_7a", Mixed::d(768)),  // [N, 8, 8, 1280]
            ("Mixed_7b", Mixed::e(1280)), // [N, 8, 8, 2048]
            ("Mixed_7c", Mixed::e(2048)),
        ];
        for (name, mixed) in mixed {
            let block = mixed.build(&params.pp(name))?;
            body.push(&[name.into()], Box::new(move |xs, train| block.forward(xs, train)));
            if name == Self::BEFORE_AUX
                && let Some(n_classes) = classes
            {
                side = Some((body.children().len() - 1, aux(n_classes, &params.pp("AuxLogits"))?));
            }
        }
        Ok((body.finish(2048), side))
    }
}

/// From ImageNet's normalisation to that by 0.5 and 0.5.
fn transform(xs: &Tensor) -> Result<Tensor> {
    let of = |values: [f64; 3]| -> Result<Tensor> { Ok(Tensor::new(&values, xs.device())?.to_dtype(xs.dtype())?) };
    let scale = of([0.229, 0.224, 0.225].map(|std| std / 0.5))?;
    let shift = of([0.485, 0.456, 0.406].map(|mean| (mean - 0.5) / 0.5))?;
    Ok(scale_shift(xs, &scale, &shift)?)
}

/// A second classifier on the features in the middle, `[N, 17, 17, 768]`.
fn aux(n_classes: usize, params: &Params) -> Result<Step> {
    let conv0 = blocks::conv_norm(&conv(768, 128, 1), &params.pp("conv0"))?;
    // torchvision means its weights to begin ten times smaller, but sets that where it is not looked for.
    let conv1 = blocks::conv_norm(&conv(128, 768, 5).padding(0), &params.pp("conv1"))?;
    let fc = linear(768, n_classes, 0.001, &params.pp("fc"))?;
    Ok(chain(vec![step(AvgPool2d(Pool::new(5, 3, 0))), step(conv0), step(conv1), step(GlobalAvgPool2d), step(fc)]))
}

fn linear(from: usize, to: usize, deviation: f64, params: &Params) -> Result<Linear> {
    Linear::with_init(from, to, Init::Normal(deviation), Some(Init::Default), params)
}
