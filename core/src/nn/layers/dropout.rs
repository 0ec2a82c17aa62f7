//! Layers that drop at random.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{Module, Params, Stream, lock};
use candle_core::Tensor;

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
        Ok(kernels::dropout(xs, mask)?)
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}
