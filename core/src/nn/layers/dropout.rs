//! Layers that drop at random.

use crate::collective::current_share;
use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{Module, Params, Stream, lock};
use candle_core::{DType, Device, Shape, Tensor};

/// Dropout (Srivastava et al., 2014). PyTorch's `nn.Dropout`.
///
/// While training, each value is set to 0 with probability `p` and multiplied by `1 / (1 - p)` otherwise; in inference
/// nothing changes. Which values are dropped depends on the seed and on the layer's name, not on threads.
///
/// # Shapes
/// Any shape, which the result has too.
///
/// # Examples
/// ```
/// use tallow::candle::{DType, Device, Tensor};
/// use tallow::nn::{Dropout, Module, Params};
/// use tallow::rng::Rng;
/// # fn main() -> tallow::Result<()> {
/// let layer = Dropout::new(0.2, &Params::new(&Rng::new(42), &Device::Cpu))?;
/// let ones = Tensor::ones(1000, DType::F32, &Device::Cpu)?;
/// assert_eq!(layer.forward(&ones, false)?.to_vec1::<f32>()?, [1.0; 1000]);
/// let ys = layer.forward(&ones, true)?.to_vec1::<f32>()?;
/// assert!(ys.iter().all(|&y| y == 0.0 || y == 1.25)); // 1 / (1 - 0.2)
/// let dropped = ys.iter().filter(|&&y| y == 0.0).count();
/// assert!((150..250).contains(&dropped)); // 200 on average, with a standard deviation of 13
/// # Ok(())
/// # }
/// ```
pub struct Dropout {
    p: f64,
    stream: Stream,
}

impl Dropout {
    /// A layer that drops with probability `p`, from a random stream of its own, which checkpoints save.
    ///
    /// # Errors
    /// [`Error::Config`] when `p` is not in 0..=1; [`Error::Network`] when `params` already has a dropout.
    pub fn new(p: f64, params: &Params) -> Result<Dropout> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::config("dropout", format!("the probability of a dropout must be in 0..=1, got {p}")));
        }
        Ok(Dropout { p, stream: params.stream("dropout")? })
    }

    /// Draws a mask of this shape: 0 with probability `p`, `1 / (1 - p)` otherwise; `None` if `p` is 0. A layer that
    /// drops more than single values, such as rows of a table, multiplies by a mask of its own shape.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn mask(&self, shape: impl Into<Shape>, dtype: DType, device: &Device) -> Result<Option<Tensor>> {
        let shape = shape.into();
        Ok(match (self.p, device) {
            (0.0, _) => None,
            (_, Device::Cpu) => Some(self.drawn_mask(&shape, (0, shape.elem_count()))?.to_dtype(dtype)?),
            _ => Some(self.computed_mask(&shape, dtype, device)?),
        })
    }

    /// The mask of a batch, of which this process may have a share: then it is the same as in one process.
    fn mask_of_batch(&self, xs: &Tensor) -> Result<Option<Tensor>> {
        match current_share() {
            Some(share) if self.p > 0.0 && xs.device().is_cpu() => {
                let place = share.place(xs.elem_count());
                Ok(Some(self.drawn_mask(xs.shape(), place)?.to_dtype(xs.dtype())?))
            }
            _ => self.mask(xs.shape(), xs.dtype(), xs.device()),
        }
    }

    /// Drawn from the stream, from a number of many on.
    fn drawn_mask(&self, shape: &Shape, place: (usize, usize)) -> Result<Tensor> {
        let kept = if self.p < 1.0 { (1.0 / (1.0 - self.p)) as f32 } else { 0.0 };
        let of = |x: f64| if x < self.p { 0.0 } else { kept };
        let mask = lock(&self.stream).uniforms_among(place, shape.elem_count(), of);
        Ok(Tensor::from_vec(mask, shape, &Device::Cpu)?)
    }

    /// Computed on the device from a key out of the stream: drawing the mask on the host and copying it would keep the
    /// device waiting. The mask differs from the CPU's; its distribution does not.
    fn computed_mask(&self, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let mut stream = lock(&self.stream);
        let key = std::array::from_fn(|_| stream.below((1 << 31) - 1) as u32);
        Ok(kernels::dropout_mask(shape, self.p, key, dtype, device)?)
    }
}

impl Module for Dropout {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let mask = if train { self.mask_of_batch(xs)? } else { None };
        Ok(match mask {
            Some(mask) => kernels::dropout(xs, &mask)?,
            None => xs.clone(),
        })
    }

    fn forward_channels_last(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        self.forward(xs, train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn both_masks_drop_their_share_and_a_position_of_the_stream_brings_them_back() {
        let params = Params::new(&Rng::new(1), &Device::Cpu);
        let (dropout, xs) = (Dropout::new(0.3, &params).unwrap(), Tensor::ones((100, 200), DType::F32, &Device::Cpu));
        let xs = xs.unwrap();
        let masks: [&dyn Fn() -> Result<Tensor>; 2] = [&|| dropout.drawn_mask(xs.shape(), (0, 20_000)), &|| {
            dropout.computed_mask(xs.shape(), DType::F32, &Device::Cpu)
        }];
        for mask in masks {
            let values = |mask: Result<Tensor>| mask.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let positions = params.stream_positions();
            let first = values(mask());
            // Five standard errors.
            let dropped = first.iter().filter(|&&v| v == 0.0).count() as f64 / 20_000.0;
            assert!((dropped - 0.3).abs() < 5.0 * (0.21f64 / 20_000.0).sqrt(), "{dropped}");
            assert!(first.iter().all(|&v| v == 0.0 || v == (1.0 / 0.7) as f32));
            assert_ne!(values(mask()), first);
            params.seek_streams(&positions);
            assert_eq!(values(mask()), first);
        }
    }
}
