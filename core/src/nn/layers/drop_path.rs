//! Stochastic depth.

use crate::collective::current_share;
use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{Module, Params, Stream, lock};
use candle_core::Tensor;

/// Stochastic depth (Huang et al., *Deep Networks with Stochastic Depth*, 2016). torchvision's `StochasticDepth(p,
/// "row")`, timm's `DropPath`.
///
/// While training, each sample is set to 0 with probability `p` and multiplied by `1 / (1 - p)` otherwise; in inference
/// nothing changes. At the end of a residual branch it makes a sample skip the block.
///
/// # Shapes
/// `xs` `[N, ..]` → `[N, ..]`
pub struct DropPath {
    p: f64,
    stream: Stream,
}

impl DropPath {
    /// A layer that drops with probability `p`, from a random stream of its own, which checkpoints save.
    ///
    /// # Errors
    /// [`Error::Config`] when `p` is not in 0..=1; [`Error::Network`] when `params` already has a layer of this kind.
    pub fn new(p: f64, params: &Params) -> Result<DropPath> {
        if !(0.0..=1.0).contains(&p) {
            let message = format!("the probability of a stochastic depth must be in 0..=1, got {p}");
            return Err(Error::config("drop_path", message));
        }
        Ok(DropPath { p, stream: params.stream("drop_path")? })
    }
}

impl Module for DropPath {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if !train || self.p == 0.0 {
            return Ok(xs.clone());
        }
        let kept = if self.p < 1.0 { (1.0 / (1.0 - self.p)) as f32 } else { 0.0 };
        // One number for each sample: drawn here for every device, since there is little to copy.
        let n = xs.dim(0)?;
        let place = current_share().map_or((0, n), |share| share.place(n));
        let of = |x: f64| if x < self.p { 0.0 } else { kept };
        let factors = lock(&self.stream).uniforms_among(place, n, of);
        Ok(kernels::scale_samples(xs, &factors)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}
