//! Datasets in memory.

use super::{Batch, Dataset};
use crate::error::{Error, Result};
use crate::rng::Rng;
use candle_core::Tensor;

/// A dataset that is two tensors with the same first axis. PyTorch's `TensorDataset`.
#[derive(Debug, Clone)]
pub struct TensorDataset {
    xs: Tensor,
    ys: Tensor,
}

impl TensorDataset {
    /// Inputs and their targets.
    ///
    /// # Errors
    /// When their numbers differ.
    pub fn new(xs: &Tensor, ys: &Tensor) -> Result<TensorDataset> {
        match (xs.dims().first(), ys.dims().first()) {
            (Some(n), Some(m)) if n == m => Ok(TensorDataset { xs: xs.clone(), ys: ys.clone() }),
            _ => {
                let (xs, ys) = (xs.dims(), ys.dims());
                let message = format!(
                    "inputs of shape {xs:?} and targets of shape {ys:?} do not pair up: their first axes must be equal"
                );
                Err(Error::shape(message, ys))
            }
        }
    }
}

impl Dataset for TensorDataset {
    fn len(&self) -> usize {
        self.xs.dims()[0]
    }

    fn item(&self, index: usize, _rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        Ok((self.xs.get(index)?, self.ys.get(index)?))
    }

    fn batch(&self, indices: &[usize], _rng: &Rng) -> Result<Batch> {
        let index: Vec<u32> = indices.iter().map(|&i| i as u32).collect();
        let index = Tensor::new(index, self.xs.device())?;
        Ok(Batch::new(self.xs.index_select(&index, 0)?, self.ys.index_select(&index, 0)?))
    }
}
