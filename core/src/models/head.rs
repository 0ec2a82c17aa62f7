//! fast.ai's classification head.

use crate::error::Result;
use crate::kernels;
use crate::nn::{
    AdaptiveConcatPool2d, BatchNorm, Dropout, Module, Param, ParamKind, Params, init, through_channels_last,
};
use candle_core::Tensor;

/// fast.ai's head for a body with `features` channels, as in its `vision_learner`, with its parameters' names: concat
/// pooling, batch normalisation, dropout 0.25, linear to 512, ReLU, batch normalisation, dropout 0.5, and linear to
/// `n_classes`.
///
/// # Shapes
/// `xs` `[N, features, H, W]` → scores `[N, n_classes]`
///
/// # Errors
/// When the device cannot allocate its parameters.
pub fn vision_head(features: usize, n_classes: usize, params: &Params) -> Result<Head> {
    let no_bias = |from: usize, to: usize, name: usize| {
        params.pp(name).add("weight", ParamKind::Weight, |rng, dev| init::kaiming_normal((to, from), from, rng, dev))
    };
    Ok(Head {
        bn1: BatchNorm::with_shift(2 * features, 1e-3, &params.pp(2))?,
        drop1: Dropout::new(0.25, &params.pp(3))?,
        linear1: no_bias(2 * features, 512, 4)?,
        bn2: BatchNorm::with_shift(512, 1e-3, &params.pp(6))?,
        drop2: Dropout::new(0.5, &params.pp(7))?,
        linear2: no_bias(512, n_classes, 8)?,
    })
}

/// The head made by [`vision_head`]: `[N, features, H, W]` → scores `[N, n_classes]`.
pub struct Head {
    bn1: BatchNorm,
    drop1: Dropout,
    linear1: Param,
    bn2: BatchNorm,
    drop2: Dropout,
    linear2: Param,
}

impl Module for Head {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.judge(&AdaptiveConcatPool2d.forward_channels_last(xs, train)?, train)
    }
}

impl Head {
    /// The scores of pooled features, `[N, 2 * features]`.
    pub(super) fn judge(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let xs = self.drop1.forward(&self.bn1.forward(xs, train)?, train)?;
        let xs = kernels::relu(&kernels::linear(&xs, &self.linear1.tensor(), None)?)?; // [N, 512]
        let xs = self.drop2.forward(&self.bn2.forward(&xs, train)?, train)?;
        Ok(kernels::linear(&xs, &self.linear2.tensor(), None)?) // [N, n_classes]
    }
}
