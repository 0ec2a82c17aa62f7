//! Layers that drop at random.

use crate::error::{Error, Result};
use crate::kernels;
use crate::nn::{Module, Params, Stream, lock};
use candle_core::{DType, Device, Shape, Tensor};

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
            return Err(Error::config("dropout", format!("the probability of a dropout must be in 0..=1, got {p}")));
        }
        Ok(Dropout { p, stream: params.stream("dropout")? })
    }

    /// A mask of this shape, 0 where something is dropped and `1 / (1 - p)` elsewhere, for who drops other things than
    /// single values: rows of a table, channels of all steps of a sequence. `None` if nothing is ever dropped.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn mask(&self, shape: impl Into<Shape>, dtype: DType, device: &Device) -> Result<Option<Tensor>> {
        let shape = shape.into();
        Ok(match (self.p, device) {
            (0.0, _) => None,
            (_, Device::Cpu) => Some(self.drawn_mask(&shape)?.to_dtype(dtype)?),
            _ => Some(self.computed_mask(&shape, dtype, device)?),
        })
    }

    /// Drawn from the stream.
    fn drawn_mask(&self, shape: &Shape) -> Result<Tensor> {
        let kept = if self.p < 1.0 { (1.0 / (1.0 - self.p)) as f32 } else { 0.0 };
        let mask = lock(&self.stream).uniforms(shape.elem_count(), |x| if x < self.p { 0.0 } else { kept });
        Ok(Tensor::from_vec(mask, shape, &Device::Cpu)?)
    }

    /// Computed where `xs` is, from a key that the stream gives: to draw as many values as there are activations on the
    /// host, and to copy them, would keep the device waiting. It is another mask than the CPU's, with the same chances.
    fn computed_mask(&self, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let mut stream = lock(&self.stream);
        let key = std::array::from_fn(|_| stream.below((1 << 31) - 1) as u32);
        Ok(kernels::dropout_mask(shape, self.p, key, dtype, device)?)
    }
}

impl Module for Dropout {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let mask = if train { self.mask(xs.shape(), xs.dtype(), xs.device())? } else { None };
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
        let masks: [&dyn Fn() -> Result<Tensor>; 2] =
            [&|| dropout.drawn_mask(xs.shape()), &|| dropout.computed_mask(xs.shape(), DType::F32, &Device::Cpu)];
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
