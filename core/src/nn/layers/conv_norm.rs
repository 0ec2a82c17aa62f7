//! Convolution, batch normalisation, shortcut and activation: the four steps of which most image networks are built.

use super::prepared::Prepared;
use crate::error::Result;
use crate::kernels::{Activation, ConvStep, PreparedConv, conv_chain};
use crate::nn::{BatchNorm, Conv2d, Conv2dConfig, Module, Param, Params, through_channels_last};
use candle_core::{DType, Tensor};
use std::sync::Arc;

/// A convolution with batch normalisation and an activation. torchvision's `Conv2dNormActivation`, timm's
/// `ConvNormAct`.
///
/// ```text
/// ys = activation(norm(conv(xs)) + residual)
/// ```
///
/// In inference the normalisation's scale and shift are folded into the convolution's weights, once, so that all four
/// steps run as one.
///
/// # Shapes
/// `xs` `[N, in_channels, H, W]` → `[N, out_channels, H', W']`, as for [`Conv2d`].
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
    activation: Activation,
    prepared: Prepared,
}

impl ConvNorm {
    /// A layer with PyTorch's batch normalisation: epsilon 1e-5, momentum 0.1. Convolution and normalisation have
    /// separate `Params`, since networks name the two differently.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) when the groups do not divide the channels or the kernel is empty.
    pub fn new(
        config: &Conv2dConfig,
        activation: Activation,
        conv_params: &Params,
        norm_params: &Params,
    ) -> Result<ConvNorm> {
        let conv = Conv2d::new(config, conv_params)?;
        Ok(ConvNorm {
            conv,
            norm: BatchNorm::new(config.out_channels, norm_params)?,
            activation,
            prepared: Prepared::default(),
        })
    }

    /// The same layer with this epsilon and momentum of the normalisation ([`BatchNorm::with`]).
    #[must_use]
    pub fn with_norm(self, eps: f64, momentum: f64) -> ConvNorm {
        ConvNorm { norm: self.norm.with(eps, momentum), ..self }
    }

    /// Runs the whole layer on channels-last images, with an optional shortcut that is added before the activation.
    ///
    /// # Shapes
    /// `xs` `[N, H, W, in_channels]` and `residual` `[N, H', W', out_channels]` → `[N, H', W', out_channels]`
    ///
    /// # Errors
    /// When `xs` has a different number of channels or is smaller than the kernel, when the shortcut does not have the
    /// result's shape, or when training on a single value per channel.
    pub fn forward_channels_last_with(&self, xs: &Tensor, train: bool, residual: Option<&Tensor>) -> Result<Tensor> {
        if let Some(prepared) = self.prepare(xs, train)? {
            return Ok(prepared.run(xs, &self.conv.windows(xs.dims())?, residual, self.activation)?);
        }
        let ys = self.conv.forward_with(xs, train, Activation::None)?;
        self.norm.forward_with(&ys, train, self.activation, residual)
    }

    /// Runs layers one after the other on channels-last images, with an optional shortcut that is added before the last
    /// activation. In inference they run as one ([`conv_chain`]).
    ///
    /// # Errors
    /// As [`ConvNorm::forward_channels_last_with`].
    pub(crate) fn chain(layers: &[&ConvNorm], xs: &Tensor, train: bool, residual: Option<&Tensor>) -> Result<Tensor> {
        let mut prepared = Vec::with_capacity(layers.len());
        let mut dims = xs.dims().to_vec();
        for layer in layers {
            // What the layers hand on is as its input is: on the CPU or not, with gradients or without.
            let Some(conv) = layer.prepare(xs, train)? else { break };
            prepared.push((conv, layer.conv.windows(&dims)?, layer.activation));
            dims = layer.conv.result_dims(&dims)?.to_vec();
        }
        if prepared.len() == layers.len() && !layers.is_empty() {
            let steps = prepared.iter();
            let steps = steps.map(|&(ref conv, windows, activation)| ConvStep { conv, windows, activation });
            let steps: Vec<ConvStep<'_>> = steps.collect();
            return Ok(conv_chain(xs, &steps, residual)?);
        }
        let Some((last, first)) = layers.split_last() else { return Ok(xs.clone()) };
        let run = |xs: Tensor, layer: &&ConvNorm| layer.forward_channels_last(&xs, train);
        last.forward_channels_last_with(&first.iter().try_fold(xs.clone(), run)?, train, residual)
    }

    /// The folded convolution, where it may be used.
    fn prepare(&self, xs: &Tensor, train: bool) -> Result<Option<Arc<PreparedConv>>> {
        if train {
            self.prepared.forget();
        }
        if !(self.conv.may_prepare(xs, train) && self.norm.params().iter().all(|param| !param.tensor().track_op())) {
            return Ok(None);
        }
        let params: Vec<&Param> = self.conv.params().into_iter().chain(self.norm.params()).collect();
        self.prepared.get(&params, || self.merged()).map(Some)
    }

    /// The convolution with the running statistics' normalisation folded in.
    fn merged(&self) -> Result<PreparedConv> {
        let [scale, shift] = self.norm.scale_and_shift()?;
        let params = self.conv.params();
        let weight = params[0].tensor();
        let weight = weight.to_dtype(DType::F64)?.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
        let bias = match params.get(1) {
            Some(bias) => ((bias.tensor().to_dtype(DType::F64)? * &scale)? + shift)?,
            None => shift,
        };
        Ok(PreparedConv::new(&weight.to_dtype(DType::F32)?, Some(&bias.to_dtype(DType::F32)?))?)
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
