//! The layers, one struct each, with PyTorch's names and defaults.

use super::{Kind, Module, Param, Params, Stream, init, lock, through_channels_last};
use crate::error::{Error, Result};
use crate::kernels::{self, BatchStats, Conv};
use candle_core::{D, Device, Tensor};

/// `y = x·Wᵀ + b`, `[N, from]` to `[N, to]`; `weight` is `[to, from]`, `bias` `[to]`. PyTorch's `nn.Linear`.
pub struct Linear {
    weight: Param,
    bias: Option<Param>,
}

/// A [`Linear`] layer with bias.
///
/// # Errors
/// When the device cannot hold its parameters.
pub fn linear(from: usize, to: usize, params: &Params) -> Result<Linear> {
    Linear::new(from, to, true, params)
}

impl Linear {
    /// A layer with PyTorch's initial values.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(from: usize, to: usize, bias: bool, params: &Params) -> Result<Linear> {
        let weight =
            params.add("weight", Kind::Weight, |rng, dev| init::kaiming_uniform((to, from), from, rng, dev))?;
        let bias = if bias {
            Some(params.add("bias", Kind::Bias, |rng, dev| init::kaiming_uniform(to, from, rng, dev))?)
        } else {
            None
        };
        Ok(Linear { weight, bias })
    }
}

impl Module for Linear {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let weight = self.weight.tensor();
        if xs.dims().last() != weight.dims().last() {
            return Err(Error::Value(format!(
                "linear layer `{}` has shape [out, in] {:?}, which does not take an input of shape {:?}",
                self.weight.name(),
                weight.dims(),
                xs.dims()
            )));
        }
        let ys = xs.matmul(&weight.t()?)?;
        Ok(match &self.bias {
            Some(bias) => ys.broadcast_add(&bias.tensor())?,
            None => ys,
        })
    }
}

/// What a [`Conv2d`] is made of.
#[derive(Debug, Clone, Copy)]
pub struct Conv2dConfig {
    /// Channels in.
    pub from: usize,
    /// Channels out.
    pub to: usize,
    /// Side of the square kernel.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Rows and columns of zeros on each side.
    pub padding: usize,
    /// Whether it has a bias.
    pub bias: bool,
}

/// Two-dimensional convolution; `weight` is `[to, from, kernel, kernel]`. PyTorch's `nn.Conv2d`.
pub struct Conv2d {
    weight: Param,
    bias: Option<Param>,
    stride: usize,
    padding: usize,
}

impl Conv2d {
    /// A layer with PyTorch's initial values.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(config: &Conv2dConfig, params: &Params) -> Result<Conv2d> {
        let &Conv2dConfig { from, to, kernel, stride, padding, bias } = config;
        let fan_in = from * kernel * kernel;
        let shape = (to, from, kernel, kernel);
        let weight = params.add("weight", Kind::Weight, |rng, dev| init::kaiming_uniform(shape, fan_in, rng, dev))?;
        let bias = if bias {
            Some(params.add("bias", Kind::Bias, |rng, dev| init::kaiming_uniform(to, fan_in, rng, dev))?)
        } else {
            None
        };
        Ok(Conv2d { weight, bias, stride, padding })
    }

    /// A layer without bias whose weights begin as torchvision's ResNets do: `kaiming_normal_(mode="fan_out")`.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn fan_out(from: usize, to: usize, kernel: usize, stride: usize, params: &Params) -> Result<Conv2d> {
        let (shape, fan_out) = ((to, from, kernel, kernel), to * kernel * kernel);
        let weight = params.add("weight", Kind::Weight, |rng, dev| init::kaiming_normal(shape, fan_out, rng, dev))?;
        Ok(Conv2d { weight, bias: None, stride, padding: kernel / 2 })
    }
}

impl Module for Conv2d {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Param::tensor);
        let conv = Conv::new(self.stride, self.padding);
        Ok(kernels::conv2d(xs, &self.weight.tensor(), bias.as_ref(), &conv)?)
    }
}

/// Batch normalisation over channels (`[N, C, H, W]`) or features (`[N, F]`): PyTorch's `nn.BatchNorm2d` and `1d`, with
/// momentum 0.1 and epsilon 1e-5.
pub struct BatchNorm {
    weight: Param,
    bias: Param,
    running_mean: Param,
    running_var: Param,
}

impl BatchNorm {
    const MOMENTUM: f64 = 0.1;
    const EPS: f64 = 1e-5;

    /// A layer for `n` channels; scale 1, shift 0.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(n: usize, params: &Params) -> Result<BatchNorm> {
        BatchNorm::with_shift(n, 0.0, params)
    }

    /// A layer whose shift begins at `bias`; fast.ai's own layers begin at 0.001.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn with_shift(n: usize, bias: f32, params: &Params) -> Result<BatchNorm> {
        Ok(BatchNorm {
            weight: params.constant("weight", Kind::Norm, n, 1.0)?,
            bias: params.constant("bias", Kind::Norm, n, bias)?,
            running_mean: params.constant("running_mean", Kind::Buffer, n, 0.0)?,
            running_var: params.constant("running_var", Kind::Buffer, n, 1.0)?,
        })
    }

    fn running(&self) -> Result<BatchStats> {
        let values = |p: &Param| -> Result<Vec<f32>> { Ok(p.var().to_device(&Device::Cpu)?.to_vec1()?) };
        Ok(BatchStats { mean: values(&self.running_mean)?, var: values(&self.running_var)?, count: 0 })
    }

    fn update_running(&self, stats: &BatchStats) -> Result<()> {
        // PyTorch normalises with the biased variance and remembers the unbiased one.
        let unbias = stats.count as f64 / (stats.count - 1) as f64;
        let update = |running: &Param, values: &[f32], scale: f64| -> Result<()> {
            let values = Tensor::new(values, running.var().device())?;
            Ok(kernels::scale_add(running.var(), 1.0 - Self::MOMENTUM, Self::MOMENTUM * scale, &values)?)
        };
        update(&self.running_mean, &stats.mean, 1.0)?;
        update(&self.running_var, &stats.var, unbias)
    }
}

impl Module for BatchNorm {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if xs.rank() == 4 { through_channels_last(self, xs, train) } else { self.forward_channels_last(xs, train) }
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let stats = if train {
            let stats = kernels::batch_stats(xs)?;
            if stats.count < 2 {
                return Err(Error::Value(format!(
                    "batch normalisation `{}` needs more than one value per channel while training, got input {:?}; \
                     use a larger batch, or drop the last one",
                    self.weight.name(),
                    xs.dims()
                )));
            }
            self.update_running(&stats)?;
            stats
        } else {
            self.running()?
        };
        Ok(kernels::batch_norm(xs, &self.weight.tensor(), &self.bias.tensor(), &stats, Self::EPS, train)?)
    }
}

/// `max(x, 0)`, with gradient 0 at 0. PyTorch's `nn.ReLU`.
pub struct Relu;

impl Module for Relu {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::relu(xs)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::relu(xs)?)
    }
}

/// While training, sets each value to 0 with probability `p` and divides the others by `1 - p`. PyTorch's `nn.Dropout`.
pub struct Dropout {
    p: f64,
    stream: Stream,
}

impl Dropout {
    /// Drops with probability `p`, drawn from a random stream that checkpoints keep.
    ///
    /// # Errors
    /// When `p` is not a probability, or another dropout was made at the same place.
    pub fn new(p: f64, params: &Params) -> Result<Dropout> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::Value(format!("the probability of a dropout must be in 0..=1, got {p}")));
        }
        Ok(Dropout { p, stream: params.stream("dropout")? })
    }
}

impl Module for Dropout {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if !train || self.p == 0.0 {
            return Ok(xs.clone());
        }
        let kept = if self.p < 1.0 { (1.0 / (1.0 - self.p)) as f32 } else { 0.0 };
        let mut stream = lock(&self.stream);
        let mask: Vec<f32> =
            (0..xs.elem_count()).map(|_| if stream.uniform(0.0, 1.0) < self.p { 0.0 } else { kept }).collect();
        Ok((xs * Tensor::from_vec(mask, xs.shape(), xs.device())?.to_dtype(xs.dtype())?)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}

/// The largest value of each window. PyTorch's `nn.MaxPool2d`.
pub struct MaxPool2d {
    /// Side of the square window.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Border of minus infinity on each side.
    pub padding: usize,
}

impl Module for MaxPool2d {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(kernels::max_pool2d(xs, (self.kernel, self.kernel), self.stride, self.padding)?)
    }
}

/// The mean over each channel, `[N, C, H, W]` to `[N, C]`: `AdaptiveAvgPool2d(1)` and `Flatten`.
pub struct AvgPool2d;

impl Module for AvgPool2d {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(xs.flatten_from(2)?.mean(D::Minus1)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(xs.flatten(1, 2)?.mean(1)?)
    }
}

/// Maximum and mean over each channel side by side, maximum first: fast.ai's `AdaptiveConcatPool2d` and `Flatten`,
/// `[N, C, H, W]` to `[N, 2C]`.
pub struct AdaptiveConcatPool2d;

impl Module for AdaptiveConcatPool2d {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        through_channels_last(self, xs, train)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let (_, h, w, _) = xs.dims4()?;
        // Not candle's `max`, whose gradient goes to all of several equal values.
        let max = kernels::max_pool2d(xs, (h, w), 1, 0)?.flatten_from(1)?;
        let mean = AvgPool2d.forward_channels_last(xs, train)?;
        Ok(Tensor::cat(&[&max, &mean], 1)?)
    }
}

/// Joins all axes but the first, `[N, C, H, W]` to `[N, C·H·W]`. PyTorch's `nn.Flatten`.
pub struct Flatten;

impl Module for Flatten {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        Ok(xs.flatten_from(1)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        // Features are numbered as PyTorch numbers them, channel by channel.
        let (_, h, w, _) = xs.dims4()?;
        Ok(if h * w == 1 { xs.flatten_from(1)? } else { kernels::channels_first(xs)?.flatten_from(1)? })
    }
}
