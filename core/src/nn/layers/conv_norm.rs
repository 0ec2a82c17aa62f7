//! Convolution, batch normalisation, shortcut and activation: the four steps of which most image networks are built.

use crate::error::Result;
use crate::kernels::Activation;
use crate::nn::{BatchNorm, Conv2d, Conv2dConfig, Module, Params, through_channels_last};
use candle_core::Tensor;

/// `activation(norm(conv(x)) + residual)`. torchvision's `Conv2dNormActivation`, timm's `ConvNormAct`.
///
/// The one place where the four meet.
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
    activation: Activation,
}

impl ConvNorm {
    /// A layer with PyTorch's batch normalisation. The two places are apart, since networks do not agree on their names.
    ///
    /// # Errors
    /// As [`Conv2d::new`].
    pub fn new(
        config: &Conv2dConfig,
        activation: Activation,
        conv_params: &Params,
        norm_params: &Params,
    ) -> Result<ConvNorm> {
        let conv = Conv2d::new(config, conv_params)?;
        Ok(ConvNorm { conv, norm: BatchNorm::new(config.to, norm_params)?, activation })
    }

    /// The same layer with another epsilon and momentum of the normalisation.
    #[must_use]
    pub fn with_norm(self, eps: f64, momentum: f64) -> ConvNorm {
        ConvNorm { norm: self.norm.with(eps, momentum), ..self }
    }

    /// The whole, channels-last, with a shortcut of the result's shape that is added before the activation.
    ///
    /// # Errors
    /// As the convolution's and the normalisation's, and when the shortcut's shape differs.
    pub fn forward_channels_last_with(&self, xs: &Tensor, train: bool, residual: Option<&Tensor>) -> Result<Tensor> {
        let ys = self.conv.forward_with(xs, Activation::None)?;
        self.norm.forward_with(&ys, train, self.activation, residual)
    }
}

impl Module for ConvNorm {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_channels_last_with(xs, train, None)
    }
}
