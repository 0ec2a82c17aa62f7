//! The convolutional layer.

use super::prepared::{Prepared, may_prepare};
use crate::error::{Error, Result};
use crate::kernels::{self, Activation, ConvParams, PreparedConv};
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Module, Param, ParamKind, Params, through_channels_last};
use candle_core::Tensor;

/// The settings of a [`Conv2d`]. Pairs are (vertical, horizontal), lengths are in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dConfig {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one window to the next; 1 by default.
    pub stride: [usize; 2],
    /// Zeros around the image; half a kernel by default, so that stride 1 keeps the image's size.
    pub padding: Padding,
    /// Pixels between neighbouring kernel elements; 1 by default. PyTorch's `dilation`.
    pub dilation: [usize; 2],
    /// The number of groups of channels that are convolved separately; 1 by default. PyTorch's `groups`.
    pub groups: usize,
    /// The initial values of the weight; PyTorch's by default.
    pub weight: Init,
    /// The initial values of the bias; by default there is none, where PyTorch's layer has one.
    pub bias: Option<Init>,
}

/// The zeros around an image before it is convolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// This many rows [above, below] and columns [to the left, to the right].
    Sides([[usize; 2]; 2]),
    /// TensorFlow's `SAME`: enough zeros for a result of `size / stride` pixels, rounded up. An odd one goes below or
    /// to the right.
    Same,
}

impl Conv2dConfig {
    /// A square kernel with stride 1, no bias, and `kernel / 2` zeros on each side, so that an odd kernel keeps the
    /// image's size. The other methods change one setting each.
    pub fn new(in_channels: usize, out_channels: usize, kernel: usize) -> Conv2dConfig {
        Conv2dConfig::oblong(in_channels, out_channels, [kernel; 2])
    }

    /// A rectangular kernel `[height, width]`, and the settings of [`Conv2dConfig::new`] otherwise.
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

    /// The same stride, in pixels, in both directions.
    #[must_use]
    pub fn stride(self, stride: usize) -> Conv2dConfig {
        Conv2dConfig { stride: [stride; 2], ..self }
    }

    /// The same number of zeros on all four sides.
    #[must_use]
    pub fn padding(self, padding: usize) -> Conv2dConfig {
        Conv2dConfig { padding: Padding::Sides([[padding; 2]; 2]), ..self }
    }

    /// TensorFlow's `SAME` padding ([`Padding::Same`]).
    #[must_use]
    pub fn same(self) -> Conv2dConfig {
        Conv2dConfig { padding: Padding::Same, ..self }
    }

    /// Splits the channels into this many groups; as many groups as channels make a depthwise convolution.
    #[must_use]
    pub fn groups(self, groups: usize) -> Conv2dConfig {
        Conv2dConfig { groups, ..self }
    }

    /// Sets the initial values of the weight.
    #[must_use]
    pub fn init(self, weight: Init) -> Conv2dConfig {
        Conv2dConfig { weight, ..self }
    }

    /// Adds a bias with these initial values.
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

/// A two-dimensional convolution. PyTorch's `nn.Conv2d`.
///
/// ```text
/// ys[n, o, y, x] = bias[o] + Σ weight[o, c, i, j] · xs[n, c, s·y + d·i - p, s·x + d·j - p]   over c, i, j
/// ```
///
/// with stride `s`, dilation `d` and padding `p`. As in PyTorch, this is a cross-correlation: the kernel is not
/// flipped.
///
/// # Shapes
/// - `xs` `[N, in_channels, H, W]` → `[N, out_channels, H', W']`
/// - `H' = (H + padding above and below - dilation·(kernel height - 1) - 1) / stride + 1`, rounded down; `W'` likewise
/// - `weight` `[out_channels, in_channels / groups, kernel height, kernel width]`, `bias` `[out_channels]`
///
/// # Examples
/// Sobel's kernel finds vertical edges, such as those between an image and the zeros around it.
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{Conv2d, Conv2dConfig, Module, Params};
/// use tallow::rng::Rng;
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&Rng::new(42), &Device::Cpu);
/// let layer = Conv2d::new(&Conv2dConfig::new(1, 1, 3).stride(2), &params)?;
/// let sobel = [[[[1f32, 0., -1.], [2., 0., -2.], [1., 0., -1.]]]];
/// params.get("weight")?.var().set(&Tensor::new(&sobel, &Device::Cpu)?)?;
/// let xs = Tensor::arange(1f32, 17., &Device::Cpu)?.reshape((1, 1, 4, 4))?; // 1 to 16
/// let ys = layer.forward(&xs, false)?; // [1, 1, 2, 2]
/// assert_eq!(ys.flatten_all()?.to_vec1::<f32>()?, [-10., -6., -40., -8.]);
/// # Ok(())
/// # }
/// ```
pub struct Conv2d {
    weight: Param,
    bias: Option<Param>,
    config: Conv2dConfig,
    prepared: Prepared,
}

impl Conv2d {
    /// A layer with these settings.
    ///
    /// # Errors
    /// [`Error::Config`] when the groups do not divide the channels or the kernel is empty.
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

    /// Convolves channels-last images and applies an activation, `activation(conv(xs))`, in one pass. In inference
    /// without gradients, the weights stay packed from one call to the next.
    ///
    /// # Shapes
    /// `xs` `[N, H, W, in_channels]` → `[N, H', W', out_channels]`
    ///
    /// # Errors
    /// [`Error::Shape`] when `xs` has a different number of channels; an error when it is smaller than the kernel.
    pub fn forward_with(&self, xs: &Tensor, train: bool, activation: Activation) -> Result<Tensor> {
        self.forward_with_shortcut(xs, train, None, activation)
    }

    /// Convolves channels-last images and adds a residual shortcut before the activation:
    /// `activation(conv(xs) + shortcut)`.
    ///
    /// # Shapes
    /// `xs` `[N, H, W, in_channels]` and `shortcut` `[N, H', W', out_channels]` → `[N, H', W', out_channels]`
    ///
    /// # Errors
    /// [`Error::Shape`] when `xs` has a different number of channels; an error when it is smaller than the kernel or
    /// the shortcut does not have the result's shape.
    pub fn forward_with_shortcut(
        &self,
        xs: &Tensor,
        train: bool,
        shortcut: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let windows = self.windows(xs.dims())?;
        let (weight, bias) = (self.weight.tensor(), self.bias.as_ref().map(Param::tensor));
        if self.may_prepare(xs, train) {
            let prepared = self.prepared.get(&self.params(), || Ok(PreparedConv::new(&weight, bias.as_ref())?))?;
            return Ok(prepared.run(xs, &windows, shortcut, activation)?);
        }
        let ys = kernels::conv2d_with(xs, &weight, bias.as_ref(), &windows, shortcut, activation)?;
        report("Conv2d", &self.params(), &ys, self.weight.elem_count() / self.config.out_channels);
        Ok(ys)
    }

    /// Whether the result may come from [`PreparedConv`]: in inference on the CPU, without gradients and without an
    /// observer of each step. Training gives the memory back.
    pub(super) fn may_prepare(&self, xs: &Tensor, train: bool) -> bool {
        if train {
            self.prepared.forget();
        }
        may_prepare(xs, train, &self.params())
    }

    /// The weight, and the bias if there is one.
    pub(super) fn params(&self) -> Vec<&Param> {
        [&self.weight].into_iter().chain(&self.bias).collect()
    }

    /// How the windows move over channels-last images of this shape.
    pub(super) fn windows(&self, dims: &[usize]) -> Result<ConvParams> {
        match *dims {
            [_, h, w, channels] if channels == self.config.in_channels => Ok(self.config.windows([h, w])),
            _ => {
                let message = format!(
                    "convolution `{}` takes {} channels, which an input [N, H, W, C] of shape {dims:?} does not have",
                    self.weight.name(),
                    self.config.in_channels,
                );
                Err(Error::shape(message, dims))
            }
        }
    }

    /// The shape of the result for channels-last images of this shape: something of 0 where they are too small.
    pub(super) fn result_dims(&self, dims: &[usize]) -> Result<[usize; 4]> {
        let windows = self.windows(dims)?;
        let size = |axis: usize| {
            let reach = windows.dilation[axis] * (self.config.kernel[axis] - 1) + 1;
            let padded = dims[axis + 1] + windows.padding[axis].iter().sum::<usize>();
            padded.checked_sub(reach).map_or(0, |room| room / windows.stride[axis] + 1)
        };
        Ok([dims[0], size(0), size(1), self.config.out_channels])
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
