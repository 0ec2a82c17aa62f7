//! Tensors by name in safetensors files.

use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The key under which our own notes stand in a file's metadata.
const KEY: &str = "tallow";

/// The first of these tensors that holds a number that is not finite, and that number.
pub(super) fn not_finite<'a>(tensors: impl IntoIterator<Item = (&'a str, Tensor)>) -> Result<Option<(&'a str, f64)>> {
    let numbers = |tensor: &Tensor| -> Result<Vec<f64>> {
        Ok(tensor.flatten_all()?.to_dtype(DType::F64)?.to_device(&Device::Cpu)?.to_vec1()?)
    };
    for (name, tensor) in tensors {
        // A finite sum has finite terms. One that is not finite may have overflowed.
        let sum = numbers(&tensor.sum_all()?)?;
        if sum.iter().all(|sum| sum.is_finite()) {
            continue;
        }
        if let Some(value) = numbers(&tensor)?.into_iter().find(|value| !value.is_finite()) {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

/// Writes tensors and a note to a safetensors file, atomically.
pub(super) fn save(path: &Path, tensors: &BTreeMap<String, Tensor>, note: Option<String>) -> Result<()> {
    Ok(tallow_io::atomic::write(path, bytes(path, tensors, note)?)?)
}

/// The contents of that file; the path is for the error.
pub(super) fn bytes(path: &Path, tensors: &BTreeMap<String, Tensor>, note: Option<String>) -> Result<Vec<u8>> {
    let metadata = note.map(|note| HashMap::from([(KEY.to_string(), note)]));
    let on_cpu: BTreeMap<&String, Tensor> =
        tensors.iter().map(|(name, t)| Ok((name, t.to_device(&Device::Cpu)?.contiguous()?))).collect::<Result<_>>()?;
    safetensors::serialize(on_cpu, metadata).map_err(|e| Error::file(path, format!("cannot be written: {e}")))
}

/// Reads what [`save`] wrote. `remedy` is what to do if the file is no good.
pub(super) fn load(path: &Path, remedy: &str) -> Result<(BTreeMap<String, Tensor>, Option<String>)> {
    parse(path, &std::fs::read(path).map_err(Error::io(path))?, remedy)
}

/// The tensors and the note in that file's contents.
pub(super) fn parse(path: &Path, bytes: &[u8], remedy: &str) -> Result<(BTreeMap<String, Tensor>, Option<String>)> {
    let broken =
        |e: &dyn std::fmt::Display| Error::file(path, format!("is not a whole safetensors file ({e}); {remedy}"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e))?;
    let note = header.metadata().as_ref().and_then(|m| m.get(KEY).cloned());
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(|e| broken(&e))?;
    Ok((tensors.into_iter().collect(), note))
}
