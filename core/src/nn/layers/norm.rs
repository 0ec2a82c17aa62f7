//! Normalisation layers.

use crate::collective::{BatchStatistics, current_share};
use crate::error::{Error, Result};
use crate::kernels::{self, Activation, BatchNormOptions, BatchStats, Spread};
use crate::nn::observe::report;
use crate::nn::{Module, Param, ParamKind, Params, through_channels_last};
use candle_core::{DType, Device, Tensor};
use std::sync::Arc;

/// Batch normalisation (Ioffe and Szegedy, 2015). PyTorch's `nn.BatchNorm2d` and `nn.BatchNorm1d`, with the same
/// defaults: epsilon 1e-5, momentum 0.1.
///
/// ```text
/// ys = (xs - mean) / √(var + eps) · weight + bias
/// running ← (1 - momentum) · running + momentum · batch
/// ```
///
/// Mean and variance are per channel: those of the batch while training, the running ones in inference. As in PyTorch,
/// the batch is normalised with the biased variance, and the running variance averages the unbiased one.
///
/// # Shapes
/// - `xs` `[N, C, H, W]` or `[N, C]` → the same shape
/// - `weight`, `bias`, `running_mean` and `running_var` `[C]`
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{BatchNorm, Module, Params};
/// use tallow::rng::Rng;
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&Rng::new(42), &Device::Cpu);
/// let layer = BatchNorm::new(1, &params)?;
/// let ys = layer.forward(&Tensor::new(&[[1f32], [3.], [5.]], &Device::Cpu)?, true)?;
/// assert!((ys.to_vec2::<f32>()?[2][0] - 1.2247425).abs() < 1e-5);
/// let running = |name: &str| -> tallow::Result<f32> { Ok(params.get(name)?.tensor().to_vec1()?[0]) };
/// assert!((running("running_mean")? - 0.3).abs() < 1e-6); // 0.9 · 0 + 0.1 · 3
/// assert!((running("running_var")? - 1.3).abs() < 1e-6); // 0.9 · 1 + 0.1 · 4
/// # Ok(())
/// # }
/// ```
pub struct BatchNorm {
    weight: Param,
    bias: Param,
    running_mean: Param,
    running_var: Param,
    eps: f64,
    momentum: f64,
}

impl BatchNorm {
    /// A layer for `n` channels or features, with scale 1 and shift 0.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn new(n: usize, params: &Params) -> Result<BatchNorm> {
        BatchNorm::with_shift(n, 0.0, params)
    }

    /// A layer with the initial shift `bias`: 0 in PyTorch, 0.001 in fast.ai's own layers.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn with_shift(n: usize, bias: f32, params: &Params) -> Result<BatchNorm> {
        Ok(BatchNorm {
            weight: params.constant("weight", ParamKind::Norm, n, 1.0)?,
            bias: params.constant("bias", ParamKind::Norm, n, bias)?,
            running_mean: params.constant("running_mean", ParamKind::Buffer, n, 0.0)?,
            running_var: params.constant("running_var", ParamKind::Buffer, n, 1.0)?,
            eps: 1e-5,
            momentum: 0.1,
        })
    }

    /// The same layer with this epsilon, which is added to the variance, and this momentum, the weight of the current
    /// batch in the running statistics.
    #[must_use]
    pub fn with(self, eps: f64, momentum: f64) -> BatchNorm {
        BatchNorm { eps, momentum, ..self }
    }

    /// Normalises channels-last images or features, adds a residual and applies an activation in one pass:
    /// `activation(norm(xs) + residual)`.
    ///
    /// # Shapes
    /// `xs` and `residual` `[N, H, W, C]` or `[N, C]` → the same shape
    ///
    /// # Errors
    /// [`Error::Shape`] when training on a single value per channel; an error when the shapes differ.
    pub fn forward_with(
        &self,
        xs: &Tensor,
        train: bool,
        activation: Activation,
        residual: Option<&Tensor>,
    ) -> Result<Tensor> {
        let train = train && !self.running_mean.fixed();
        let stats = if train {
            let stats = of_whole_batch(kernels::batch_stats(xs)?)?;
            if stats.count < 2 {
                let message = format!(
                    "batch normalisation `{}` needs more than one value per channel while training, got input {:?}; \
                     use a larger batch, or drop the last one",
                    self.weight.name(),
                    xs.dims()
                );
                return Err(Error::shape(message, xs.dims()));
            }
            self.update_running(&stats)?;
            stats
        } else {
            self.running()
        };
        let options = BatchNormOptions { eps: self.eps, training: train, activation };
        let (weight, bias) = (self.weight.tensor(), self.bias.tensor());
        let ys = kernels::batch_norm(xs, &weight, &bias, &stats, &options, residual)?;
        report("BatchNorm", &self.params(), &ys, 0);
        Ok(ys)
    }

    /// Weight, bias, and the running mean and variance.
    pub(super) fn params(&self) -> [&Param; 4] {
        [&self.weight, &self.bias, &self.running_mean, &self.running_var]
    }

    /// The layer in inference as `xs * scale + shift`, in `f64`.
    pub(super) fn scale_and_shift(&self) -> Result<[Tensor; 2]> {
        let [weight, bias, mean, var] = self.params().map(|param| param.tensor().detach().to_dtype(DType::F64));
        let scale = (weight? / (var? + self.eps)?.sqrt()?)?;
        let shift = (bias? - (mean? * &scale)?)?;
        Ok([scale, shift])
    }

    fn running(&self) -> BatchStats {
        BatchStats { mean: self.running_mean.tensor(), var: self.running_var.tensor(), count: 0, spread: None }
    }

    fn update_running(&self, stats: &BatchStats) -> Result<()> {
        // PyTorch normalises with the biased variance and remembers the unbiased one.
        let unbias = stats.count as f64 / (stats.count - 1) as f64;
        let update = |running: &Param, values: &Tensor, scale: f64| -> Result<()> {
            let values = values.to_device(running.var().device())?.to_dtype(running.var().dtype())?;
            Ok(kernels::scale_add(running.var(), 1.0 - self.momentum, self.momentum * scale, &values)?)
        };
        update(&self.running_mean, &stats.mean, 1.0)?;
        update(&self.running_var, &stats.var, unbias)
    }
}

/// The statistics of the whole batch, of which this process may have a share.
fn of_whole_batch(own: BatchStats) -> Result<BatchStats> {
    let Some(share) = current_share().filter(|s| s.world.statistics() == BatchStatistics::Synchronised) else {
        return Ok(own);
    };
    let n = if share.counts { own.count } else { 0 };
    let mut numbers = vec![n as f64];
    for values in [&own.mean, &own.var] {
        numbers.extend(values.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1::<f64>()?);
    }
    let all = share.world.gather_numbers(&numbers)?;
    let (total, c) = (all.iter().map(|of_rank| of_rank[0]).sum::<f64>().max(1.0), own.mean.elem_count());
    let weighted = |f: &dyn Fn(&[f64]) -> f64| all.iter().map(|r| r[0] * f(&r[1..])).sum::<f64>() / total;
    let mean: Vec<f64> = (0..c).map(|i| weighted(&|r| r[i])).collect();
    // The variance within the processes, and that between them.
    let var = (0..c).map(|i| weighted(&|r| r[c + i] + (r[i] - mean[i]).powi(2))).collect::<Vec<f64>>();
    let back = |values: &[f64], like: &Tensor| -> Result<Tensor> {
        Ok(Tensor::new(values, &Device::Cpu)?.to_dtype(like.dtype())?.to_device(like.device())?)
    };
    let (mean, var) = (back(&mean, &own.mean)?, back(&var, &own.var)?);
    let world = share.world.clone();
    let sum = move |values: &mut [f64]| world.sum(values).map_err(candle_core::Error::wrap);
    let spread = Spread { sum: Arc::new(sum), counts: share.counts };
    Ok(BatchStats { mean, var, count: total as usize, spread: Some(spread) })
}

impl Module for BatchNorm {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if xs.rank() == 4 { through_channels_last(self, xs, train) } else { self.forward_channels_last(xs, train) }
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward_with(xs, train, Activation::None, None)
    }
}
