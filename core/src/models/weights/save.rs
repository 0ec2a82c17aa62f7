//! Saving weights as a safetensors file, which PyTorch reads too.

use crate::error::{Error, Result};
use crate::nn::Params;
use candle_core::{DType, Tensor};
use std::collections::BTreeMap;
use std::path::Path;
use tallow_io::{Dtype, atomic, safetensors};

/// Writes all tensors of a network, buffers included, by name and in order, as `f32`. `metadata` are notes, such as the
/// names of the classes. The file is replaced atomically, and the same network gives the same bytes.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written; an existing file is then unchanged.
pub fn save(params: &Params, path: impl AsRef<Path>, metadata: &BTreeMap<String, String>) -> Result<()> {
    let tensors = params.all().into_iter().map(|param| {
        let value = param.var().as_detached_tensor();
        let name = params.relative(param.name()).to_string();
        Ok(safetensors::Tensor { name, dtype: Dtype::F32, shape: value.dims().to_vec(), bytes: bytes(&value)? })
    });
    let tensors = tensors.collect::<Result<Vec<_>>>()?;
    Ok(atomic::write(path, safetensors::to_bytes(&tensors, metadata))?)
}

fn bytes(value: &Tensor) -> Result<Vec<u8>, Error> {
    let numbers = value.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
    Ok(numbers.into_iter().flat_map(f32::to_le_bytes).collect())
}
