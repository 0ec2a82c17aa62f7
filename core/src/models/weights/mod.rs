//! Weights in files: safetensors, and PyTorch's `.pth`, whose pickled code is never run.
//!
//! [`Weights`] is an opened file, [`Weights::load_into`] loads its tensors into a network by name, and [`save`] writes
//! those of a network.
//!
//! ```
//! use tallow::candle::Device;
//! use tallow::models::weights::{LoadOptions, Weights, save};
//! use tallow::nn::{Params, linear};
//! use tallow::rng::Rng;
//! # fn main() -> tallow::Result<()> {
//! # let file = std::env::temp_dir().join(format!("tallow-weights-{}.safetensors", std::process::id()));
//! let params = Params::new(&Rng::new(1), &Device::Cpu);
//! linear(2, 3, &params.pp("fc"))?;
//! save(&params, &file, &Default::default())?;
//!
//! let weights = Weights::open(&file)?;
//! assert_eq!(weights.shape("fc.weight"), Some(&[3, 2][..])); // PyTorch's order: [out_features, in_features]
//! let other = Params::new(&Rng::new(2), &Device::Cpu);
//! linear(2, 3, &other.pp("fc"))?;
//! weights.load_into(&other, &LoadOptions::strict())?;
//! let values = |params: &Params| -> tallow::Result<Vec<Vec<f32>>> {
//!     Ok(params.get("fc.weight")?.tensor().to_vec2()?)
//! };
//! assert_eq!(values(&other)?, values(&params)?);
//! # std::fs::remove_file(&file).ok();
//! # Ok(())
//! # }
//! ```

mod body;
mod load;
mod recipe;
mod rename;
mod save;

pub use load::{LoadOptions, LoadReport, Misshapen};
pub use recipe::Recipe;
pub use save::save;

use super::Arch;
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};
use half::{bf16, f16};
use safetensors::SafeTensors;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tallow_datasets::pth::{self, StateDict};
use tallow_io::Dtype;
use tallow_io::hash::Hasher;

/// Reads a pickled Python list of strings, such as the vocabulary of fast.ai's language models (`.pkl`), without
/// running its code.
///
/// # Errors
/// [`Error::Data`] when the file cannot be read, is damaged, contains a call, or is not a list of strings.
pub fn pickled_texts(path: impl AsRef<Path>) -> Result<Vec<String>> {
    Ok(pth::read_texts(path)?)
}

/// The tensors of a file, by name, with the [`Recipe`] for their use. The header is validated when the file is opened;
/// tensors are converted lazily. Clones share the file's contents.
#[derive(Clone)]
pub struct Weights {
    path: PathBuf,
    file: Arc<Contents>,
    recipe: Option<Recipe>,
}

/// What a file holds. Clones of [`Weights`] share it.
struct Contents {
    source: Source,
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    metadata: BTreeMap<String, String>,
}

enum Source {
    Safetensors(Cow<'static, [u8]>),
    Pth(StateDict),
}

struct Entry {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Where its bytes are in a safetensors file.
    place: Range<usize>,
}

impl Weights {
    /// Opens a safetensors or PyTorch file; its first bytes determine the format.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::File`] or [`Error::Data`] when it has neither format, or is
    /// damaged or truncated.
    pub fn open(path: impl AsRef<Path>) -> Result<Weights> {
        let path = path.as_ref();
        Weights::from_bytes(path, tallow_io::read::bytes(path, tallow_io::read::DATA).map_err(Error::io(path))?)
    }

    /// Opens the contents of a safetensors or PyTorch file in memory, such as embedded weights. `path` names them in
    /// messages.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Data`] when the bytes have neither format, or are damaged or truncated.
    pub fn from_bytes(path: impl AsRef<Path>, bytes: impl Into<Cow<'static, [u8]>>) -> Result<Weights> {
        let (path, bytes) = (path.as_ref().to_path_buf(), bytes.into());
        let (source, entries, metadata) = if bytes.get(8) == Some(&b'{') {
            let (entries, metadata) = read_header(&bytes).map_err(|what| Error::file(&path, what))?;
            (Source::Safetensors(bytes), entries, metadata)
        } else if pth::is_pth(&bytes) {
            let dict = StateDict::from_bytes(&path, bytes)?;
            let entry = |t: pth::TensorView| Entry {
                name: t.name.to_string(),
                dtype: t.dtype,
                shape: t.shape.to_vec(),
                place: 0..0,
            };
            let entries = dict.tensors().map(entry).collect();
            (Source::Pth(dict), entries, BTreeMap::new())
        } else {
            return Err(Error::file(&path, "is neither a safetensors file nor one that PyTorch's torch.save wrote"));
        };
        let index = entries.iter().enumerate().map(|(i, entry): (usize, &Entry)| (entry.name.clone(), i)).collect();
        Ok(Weights { path, file: Arc::new(Contents { source, entries, index, metadata }), recipe: None })
    }

    /// The same weights with a recipe that is not the architecture's own.
    #[must_use]
    pub fn with_recipe(self, recipe: Recipe) -> Weights {
        Weights { recipe: Some(recipe), ..self }
    }

    /// The recipe of an `arch` with these weights: the one that was set, or that of the architecture's published
    /// weights.
    pub fn recipe(&self, arch: Arch) -> Recipe {
        self.recipe.unwrap_or_else(|| Recipe::published(arch))
    }

    /// The tensors' names, in the file's order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.file.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The shape of the tensor with this name, if there is one.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.file.index.get(name).map(|&i| self.file.entries[i].shape.as_slice())
    }

    /// The metadata of a safetensors file, such as its licence.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.file.metadata
    }

    /// The sha256 of all tensors with their names, types and shapes, in the order of the names: the same for the same
    /// tensors in any file.
    pub fn sha256(&self) -> String {
        let mut hasher = Hasher::default();
        let mut order: Vec<usize> = (0..self.file.entries.len()).collect();
        order.sort_by_key(|&i| &self.file.entries[i].name);
        for i in order {
            let Entry { name, dtype, shape, .. } = &self.file.entries[i];
            // Writing to a hasher does not fail.
            let _ = writeln!(hasher, "{name} {dtype:?} {shape:?}");
            let _ = hasher.write_all(&self.bytes_of(i));
        }
        hasher.finish().sha256
    }

    /// The bytes of tensor number `i`.
    fn bytes_of(&self, i: usize) -> Cow<'_, [u8]> {
        match &self.file.source {
            Source::Safetensors(bytes) => Cow::Borrowed(&bytes[self.file.entries[i].place.clone()]),
            Source::Pth(dict) => dict.get(i).map(|tensor| tensor.bytes()).unwrap_or_default(),
        }
    }

    /// The tensor with this name, as `f32` on the CPU, whatever its type in the file.
    ///
    /// # Errors
    /// [`Error::File`] when there is no tensor of this name.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let found = self.file.index.get(name);
        let &i = found.ok_or_else(|| Error::file(&self.path, format!("holds no tensor called `{name}`")))?;
        let Entry { dtype, shape, .. } = &self.file.entries[i];
        Ok(Tensor::from_vec(to_f32(&self.bytes_of(i), *dtype), shape.as_slice(), &Device::Cpu)?)
    }
}

fn to_f32(bytes: &[u8], dtype: Dtype) -> Vec<f32> {
    fn each<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|chunk| convert(*chunk)).collect()
    }
    match dtype {
        Dtype::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        Dtype::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
        Dtype::I32 => each(bytes, |b| i32::from_le_bytes(b) as f32),
        Dtype::I16 => each(bytes, |b| f32::from(i16::from_le_bytes(b))),
        Dtype::I8 => each(bytes, |b| f32::from(i8::from_le_bytes(b))),
        Dtype::U8 => each(bytes, |[b]| f32::from(b)),
        Dtype::Bool => each(bytes, |[b]| f32::from(u8::from(b != 0))),
    }
}

/// The header of a safetensors file. The crate checks that the header lies in the file, and that the tensors lie one
/// after the other, each of the size that its shape has, up to the file's last byte.
fn read_header(bytes: &[u8]) -> Result<(Vec<Entry>, BTreeMap<String, String>), String> {
    let (len, header) = SafeTensors::read_metadata(bytes)
        .map_err(|e| format!("is not a whole safetensors file ({e}); delete it and fetch it again"))?;
    let data = 8 + len;
    refuse_doubles(&bytes[8..data])?;
    let mut entries = Vec::new();
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        if name.is_empty() || name.len() > 1_000 || name.chars().any(char::is_control) {
            return Err(format!(
                "holds a tensor with the impossible name {:?}",
                name.chars().take(100).collect::<String>()
            ));
        }
        let Some(dtype) = dtype(info.dtype) else {
            return Err(format!("holds `{name}` as {:?}, a type that is not read", info.dtype));
        };
        let (start, end) = info.data_offsets;
        entries.push(Entry { name, dtype, shape: info.shape.clone(), place: data + start..data + end });
    }
    let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok((entries, metadata))
}

/// Of two tensors with one name the crate keeps the last. Such a file means different things to different readers.
fn refuse_doubles(header: &[u8]) -> Result<(), String> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            write!(f, "a header")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
            let mut seen = HashSet::new();
            while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                if seen.contains(&key) {
                    return Err(serde::de::Error::custom(format!("two tensors called {key:?}")));
                }
                seen.insert(key);
            }
            Ok(())
        }
    }
    let read = serde_json::Deserializer::from_slice(header).deserialize_map(Keys);
    read.map_err(|e| format!("is not a whole safetensors file ({e}); delete it and fetch it again"))
}

fn dtype(dtype: safetensors::Dtype) -> Option<Dtype> {
    use safetensors::Dtype as Theirs;
    Some(match dtype {
        Theirs::F64 => Dtype::F64,
        Theirs::F32 => Dtype::F32,
        Theirs::F16 => Dtype::F16,
        Theirs::BF16 => Dtype::BF16,
        Theirs::I64 => Dtype::I64,
        Theirs::I32 => Dtype::I32,
        Theirs::I16 => Dtype::I16,
        Theirs::I8 => Dtype::I8,
        Theirs::U8 => Dtype::U8,
        Theirs::BOOL => Dtype::Bool,
        _ => return None,
    })
}
