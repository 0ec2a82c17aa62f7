//! Tensors by name in safetensors files.

use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use safetensors::{SafeTensors, View};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tallow_io::hash::Hasher;

/// The key under which our own notes stand in a file's metadata.
const KEY: &str = "tallow";

/// The key of the SHA-256 of the notes and of all tensors.
const CHECKSUM: &str = "sha256";

/// A file's notes, and whether its checksum, which must be right if there is one, is there.
pub(super) type Notes = Option<(String, bool)>;

/// The SHA-256 of the notes and of all tensors, in the order of their names.
fn checksum<'a, V: View + 'a>(note: &str, tensors: impl Iterator<Item = (&'a str, V)>) -> String {
    let mut hasher = Hasher::default();
    let mut put = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    put(note.as_bytes());
    let mut sorted: Vec<(&str, V)> = tensors.collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (name, tensor) in sorted {
        put(name.as_bytes());
        put(format!("{:?} {:?}", tensor.dtype(), tensor.shape()).as_bytes());
        put(&tensor.data());
    }
    hasher.finish().sha256
}

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
    let on_cpu: BTreeMap<&String, Tensor> =
        tensors.iter().map(|(name, t)| Ok((name, t.to_device(&Device::Cpu)?.contiguous()?))).collect::<Result<_>>()?;
    let metadata = note.map(|note| {
        let checksum = checksum(&note, on_cpu.iter().map(|(name, tensor)| (name.as_str(), tensor)));
        HashMap::from([(KEY.to_string(), note), (CHECKSUM.to_string(), checksum)])
    });
    safetensors::serialize(on_cpu, metadata).map_err(|e| Error::file(path, format!("cannot be written: {e}")))
}

/// Reads what [`save`] wrote. `remedy` is what to do if the file is no good.
pub(super) fn load(path: &Path, remedy: &str) -> Result<(BTreeMap<String, Tensor>, Notes)> {
    parse(path, &tallow_io::read::bytes(path, tallow_io::read::DATA).map_err(Error::io(path))?, remedy)
}

/// The tensors and the note in that file's contents.
///
/// # Errors
/// When it is not a whole file, or its checksum is another.
pub(super) fn parse(path: &Path, bytes: &[u8], remedy: &str) -> Result<(BTreeMap<String, Tensor>, Notes)> {
    let broken =
        |e: &dyn std::fmt::Display| Error::file(path, format!("is not a whole safetensors file ({e}); {remedy}"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e))?;
    let noted = |key: &str| header.metadata().as_ref().and_then(|m| m.get(key).cloned());
    let (note, expected) = (noted(KEY), noted(CHECKSUM));
    if let (Some(note), Some(expected)) = (&note, &expected) {
        let views = SafeTensors::deserialize(bytes).map_err(|e| broken(&e))?;
        if checksum(note, views.iter()) != *expected {
            return Err(Error::file(path, format!("is damaged: its checksum is another; {remedy}")));
        }
    }
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(|e| broken(&e))?;
    Ok((tensors.into_iter().collect(), note.map(|note| (note, expected.is_some()))))
}
