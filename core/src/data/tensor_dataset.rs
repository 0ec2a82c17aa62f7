//! Datasets in memory.

use super::{Batch, DataLoader, Dataset};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use candle_core::Tensor;
use std::io::BufWriter;
use std::sync::Arc;
use tallow_io::hash::Hasher;

/// A dataset of inputs and targets in tensors with the same first axis. PyTorch's `TensorDataset`.
#[derive(Clone)]
pub struct TensorDataset {
    xs: Tensor,
    more_xs: Vec<Tensor>,
    ys: Tensor,
    source: Option<Arc<dyn Dataset>>,
}

impl TensorDataset {
    /// A dataset of inputs `[N, ..]` and targets `[N, ..]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when their first axes differ.
    pub fn new(xs: &Tensor, ys: &Tensor) -> Result<TensorDataset> {
        match (xs.dims().first(), ys.dims().first()) {
            (Some(n), Some(m)) if n == m => {
                Ok(TensorDataset { xs: xs.clone(), more_xs: Vec::new(), ys: ys.clone(), source: None })
            }
            _ => {
                let (xs, ys) = (xs.dims(), ys.dims());
                let message = format!(
                    "inputs of shape {xs:?} and targets of shape {ys:?} do not pair up: their first axes must be equal"
                );
                Err(Error::shape(message, ys))
            }
        }
    }

    /// Adds further inputs `[N, ..]`, for a network with several ([`Batch::more_xs`]).
    ///
    /// # Errors
    /// [`Error::Shape`] when the first axis differs.
    pub fn and(mut self, more_xs: &Tensor) -> Result<TensorDataset> {
        if more_xs.dims().first() != self.xs.dims().first() {
            let (xs, more) = (self.xs.dims(), more_xs.dims());
            let message =
                format!("inputs of shapes {xs:?} and {more:?} do not pair up: their first axes must be equal");
            return Err(Error::shape(message, more));
        }
        self.more_xs.push(more_xs.clone());
        Ok(self)
    }

    /// The same dataset with the fingerprint of another one, from which its tensors were computed. The features of
    /// images differ between machines in their last bits; the images do not.
    #[must_use]
    pub fn made_of(self, source: &DataLoader) -> TensorDataset {
        TensorDataset { source: Some(source.dataset().clone()), ..self }
    }
}

impl std::fmt::Debug for TensorDataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TensorDataset { xs, more_xs, ys, .. } = self;
        let mut debug = f.debug_struct("TensorDataset");
        debug.field("xs", xs).field("more_xs", more_xs).field("ys", ys).finish_non_exhaustive()
    }
}

impl Dataset for TensorDataset {
    fn len(&self) -> usize {
        self.xs.dims()[0]
    }

    fn item(&self, index: usize, _rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        Ok((self.xs.get(index)?, self.ys.get(index)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        if let Some(source) = &self.source {
            return source.fingerprint();
        }
        let mut hasher = Hasher::default();
        for tensor in [&self.xs].into_iter().chain(&self.more_xs).chain([&self.ys]) {
            // Flushed when it goes: a hasher takes all that it is given.
            tensor.write_bytes(&mut BufWriter::new(&mut hasher))?;
        }
        let (xs, ys, hash) = (self.xs.dims(), self.ys.dims(), hasher.finish().sha256);
        let more: String = self.more_xs.iter().map(|more| format!(", {:?}", more.dims())).collect();
        Ok(Fingerprint::default().with("tensors", format!("{xs:?}{more} and {ys:?}, sha256 {}", &hash[..16])))
    }

    fn batch(&self, indices: &[usize], _rng: &Rng) -> Result<Batch> {
        let index: Vec<u32> = indices.iter().map(|&i| i as u32).collect();
        let index = Tensor::new(index, self.xs.device())?;
        let more_xs = self.more_xs.iter().map(|more| Ok(more.index_select(&index, 0)?)).collect::<Result<_>>()?;
        Ok(Batch { xs: self.xs.index_select(&index, 0)?, more_xs, ys: self.ys.index_select(&index, 0)? })
    }
}
