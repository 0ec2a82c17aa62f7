//! The convolutional layer.

use super::prepared::Prepared;
use crate::error::{Error, Result};
use crate::kernels::{self, Activation, ConvParams, PreparedConv};
use crate::nn::init::Init;
use crate::nn::observe::{observed, report};
use crate::nn::{Module, Param, ParamKind, Params, through_channels_last};
use candle_core::{DType, Tensor};

/// What a [`Conv2d`] is made of. Pairs are (vertical, horizontal).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dConfig {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one window to the next.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding,
    /// Pixels from one tap of the kernel to the next.
    pub dilation: [usize; 2],
    /// Number of groups, as PyTorch's `groups`.
    pub groups: usize,
    /// How the weight begins.
    pub weight: Init,
    /// How the bias begins, if there is one.
    pub bias: Option<Init>,
}

/// Zeros around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// This many rows [above, below] and columns [to the left, to the right].
    Sides([[usize; 2]; 2]),
    /// TensorFlow's `SAME`: as many as make the result `size / stride` large, rounded up; the odd one comes last.
    Same,
}

impl Conv2dConfig {
    /// A square kernel of odd size with stride 1 that keeps the image's size, and no bias: most of the convolutions
    /// there are. The methods change what differs.
    pub fn new(in_channels: usize, out_channels: usize, kernel: usize) -> Conv2dConfig {
        Conv2dConfig::oblong(in_channels, out_channels, [kernel; 2])
    }

    /// [`Conv2dConfig::new`] with a rectangular kernel, (height, width).
    pub fn oblong(in_channels: usize, out_channels: usize, kernel: [usize; 2]) -> Conv2dConfig {
        let padding = Padding::Sides(kernel.map(|side| [side / 2; 2]));
        let (stride, dilation, groups) = ([1; 2], [1; 2], 1);
        Conv2dConfig {
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
            dilation,
            groups,
            weight: Init::Default,
            bias: None,
        }
    }

    /// One stride for both directions.
    #[must_use]
    pub fn stride(self, stride: usize) -> Conv2dConfig {
        Conv2dConfig { stride: [stride; 2], ..self }
    }

    /// One number of zeros for all sides.
    #[must_use]
    pub fn padding(self, padding: usize) -> Conv2dConfig {
        Conv2dConfig { padding: Padding::Sides([[padding; 2]; 2]), ..self }
    }

    /// TensorFlow's padding.
    #[must_use]
    pub fn same(self) -> Conv2dConfig {
        Conv2dConfig { padding: Padding::Same, ..self }
    }

    /// Groups of channels that do not see each other.
    #[must_use]
    pub fn groups(self, groups: usize) -> Conv2dConfig {
        Conv2dConfig { groups, ..self }
    }

    /// How the weight begins.
    #[must_use]
    pub fn init(self, weight: Init) -> Conv2dConfig {
        Conv2dConfig { weight, ..self }
    }

    /// With a bias that begins like this.
    #[must_use]
    pub fn bias(self, bias: Init) -> Conv2dConfig {
        Conv2dConfig { bias: Some(bias), ..self }
    }

    /// How the windows move over an image of this height and width.
    fn windows(&self, size: [usize; 2]) -> ConvParams {
        let padding = match self.padding {
            Padding::Sides(sides) => sides,
            Padding::Same => [0, 1].map(|axis| {
                let (stride, reach) = (self.stride[axis].max(1), self.dilation[axis] * (self.kernel[axis] - 1) + 1);
                let all = ((size[axis].div_ceil(stride).max(1) - 1) * stride + reach).saturating_sub(size[axis]);
                [all / 2, all - all / 2]
            }),
        };
        ConvParams { stride: self.stride, padding, dilation: self.dilation, groups: self.groups }
    }
}

/// Two-dimensional convolution; `weight` is `[out_channels, in_channels / groups, kernel height, kernel width]`.
/// PyTorch's `nn.Conv2d`.
pub struct Conv2d {
    weight: Param,
    bias: Option<Param>,
    config: Conv2dConfig,
    prepared: Prepared,
}

impl Conv2d {
    /// A layer as configured.
    ///
    /// # Errors
    /// When the groups do not divide the channels, the kernel is empty, or the device cannot hold the parameters.
    pub fn new(config: &Conv2dConfig, params: &Params) -> Result<Conv2d> {
        let &Conv2dConfig { in_channels, out_channels, kernel: [kh, kw], groups, .. } = config;
        if groups == 0 || in_channels % groups != 0 || out_channels % groups != 0 || kh * kw == 0 {
            let what = format!("a convolution of {in_channels} to {out_channels} channels in {groups} groups");
            return Err(Error::config("groups", format!("{what} with kernel {kh} x {kw} cannot be")));
        }
        let shape = (out_channels, in_channels / groups, kh, kw);
        let fans = [in_channels / groups * kh * kw, out_channels * kh * kw];
        let weight = params.add("weight", ParamKind::Weight, |rng, dev| config.weight.draw(shape, fans, rng, dev))?;
        let bias = config
            .bias
            .map(|bias| params.add("bias", ParamKind::Bias, |rng, dev| bias.draw(out_channels, fans, rng, dev)));
        Ok(Conv2d { weight, bias: bias.transpose()?, config: *config, prepared: Prepared::default() })
    }

    /// `activation(conv(xs))`, channels-last. Outside of training, and where no gradient is asked for, the weights stay
    /// packed from one call to the next.
    ///
    /// # Errors
    /// When `xs` has other channels, or is smaller than the kernel.
    pub fn forward_with(&self, xs: &Tensor, train: bool, activation: Activation) -> Result<Tensor> {
        self.forward_with_shortcut(xs, train, None, activation)
    }

    /// `activation(conv(xs) + shortcut)`: [`Conv2d::forward_with`] with something of the result's shape that is added
    /// before the activation.
    ///
    /// # Errors
    /// As [`Conv2d::forward_with`], and when the shortcut's shape differs.
    pub fn forward_with_shortcut(
        &self,
        xs: &Tensor,
        train: bool,
        shortcut: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let windows = self.windows(xs)?;
        let (weight, bias) = (self.weight.tensor(), self.bias.as_ref().map(Param::tensor));
        if self.may_prepare(xs, train) {
            let prepared = self.prepared.get(&self.params(), || Ok(PreparedConv::new(&weight, bias.as_ref())?))?;
            return Ok(prepared.run(xs, &windows, shortcut, activation)?);
        }
        let ys = kernels::conv2d_with(xs, &weight, bias.as_ref(), &windows, shortcut, activation)?;
        report("Conv2d", &self.params(), &ys, self.weight.elem_count() / self.config.out_channels);
        Ok(ys)
    }

    /// Whether what is computed may come from [`PreparedConv`]: in inference, on the CPU, where no gradient is asked
    /// for and nobody wants to see each step. While training the memory is given back.
    pub(super) fn may_prepare(&self, xs: &Tensor, train: bool) -> bool {
        if train {
            self.prepared.forget();
        }
        let plain = |xs: &Tensor| xs.device().is_cpu() && xs.dtype() == DType::F32 && !xs.track_op();
        !train && !observed() && plain(xs) && self.params().iter().all(|param| plain(&param.tensor()))
    }

    /// The weight, and the bias if there is one.
    pub(super) fn params(&self) -> Vec<&Param> {
        [&self.weight].into_iter().chain(&self.bias).collect()
    }

    /// How the windows move over these images, channels-last.
    pub(super) fn windows(&self, xs: &Tensor) -> Result<ConvParams> {
        let (_, h, w, channels) = xs.dims4()?;
        if channels != self.config.in_channels {
            let message = format!(
                "convolution `{}` takes {} channels, which an input [N, H, W, C] of shape {:?} does not have",
                self.weight.name(),
                self.config.in_channels,
                xs.dims()
            );
            return Err(Error::shape(message, xs.dims()));
        }
        Ok(self.config.windows([h, w]))
    }
}

impl Module for Conv2d {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_with(xs, train, Activation::None)
    }
}
