//! PyTorch's `.pth` and `.pt` files, read without running what is in them.
//!
//! `torch.save` writes the structure of a checkpoint as a *pickle*, a program for a stack machine that can call any
//! function of Python, and the numbers beside it. Who unpickles a stranger's file runs a stranger's program. Here a
//! machine of our own (`machine`) runs it that knows the few instructions and calls by which a dictionary of tensors is
//! built, and refuses everything else by name. Both containers are understood (`container`): the zip archive, which
//! PyTorch has written since version 1.6, and the single stream before that, in which many published networks still
//! come.
//!
//! Nothing that the file says about sizes is believed: each tensor's extent is checked against the bytes that are there
//! before anything is made of it, and memory stays within a small multiple of the file's size.

mod calls;
mod container;
mod machine;

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use crate::error::{Error, Result};
use machine::{Objects, Purpose, Value};
use tallow_io::Dtype;

pub use container::is_pth;

/// The tensors of a `.pth` file, by name: PyTorch's `state_dict`.
pub struct StateDict {
    bytes: Cow<'static, [u8]>,
    tensors: Vec<Tensor>,
}

/// One tensor of a [`StateDict`], borrowed.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    /// Its name, such as `layer1.0.conv1.weight`.
    pub name: &'a str,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Its extents.
    pub shape: &'a [usize],
    strides: &'a [usize],
    data: &'a [u8],
}

struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    strides: Vec<usize>,
    /// The bytes from its first number to its last.
    data: Range<usize>,
}

impl StateDict {
    /// Reads a file. The dictionary may be the whole checkpoint or stand in it under `state_dict`, `model` or the like.
    ///
    /// # Errors
    /// [`Error::Weights`] where the file is damaged, asks for a call that weights do not need, or holds no tensors;
    /// [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<StateDict> {
        let path = path.as_ref();
        StateDict::from_bytes(
            path,
            tallow_io::read::bytes(path, tallow_io::read::DATA).map_err(Error::io("read", path))?,
        )
    }

    /// The same for bytes that are in memory. `path` is for messages.
    ///
    /// # Errors
    /// As [`StateDict::open`].
    pub fn from_bytes(path: impl AsRef<Path>, bytes: impl Into<Cow<'static, [u8]>>) -> Result<StateDict> {
        let bytes = bytes.into();
        let tensors = read(&bytes).map_err(|what| Error::Weights { path: path.as_ref().to_path_buf(), what })?;
        Ok(StateDict { bytes, tensors })
    }

    /// The tensors, in the order of the dictionary.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = TensorView<'_>> {
        self.tensors.iter().map(|tensor| self.view(tensor))
    }

    /// The tensor at a place of [`StateDict::tensors`].
    pub fn get(&self, index: usize) -> Option<TensorView<'_>> {
        self.tensors.get(index).map(|tensor| self.view(tensor))
    }

    fn view<'a>(&'a self, tensor: &'a Tensor) -> TensorView<'a> {
        let Tensor { name, dtype, shape, strides, data } = tensor;
        TensorView { name, dtype: *dtype, shape, strides, data: &self.bytes[data.clone()] }
    }
}

/// Reads a list of texts that Python's `pickle` wrote, such as the words of fast.ai's language models (`.pkl`), without
/// running what is in it.
///
/// # Errors
/// [`Error::Weights`] where the file is damaged, asks for a call, or holds something else; [`Error::Io`].
pub fn read_texts(path: impl AsRef<Path>) -> Result<Vec<String>> {
    let path = path.as_ref();
    let bytes = tallow_io::read::bytes(path, tallow_io::read::DATA).map_err(Error::io("read", path))?;
    texts(&bytes).map_err(|what| Error::Weights { path: path.to_path_buf(), what })
}

fn texts(bytes: &[u8]) -> Result<Vec<String>, String> {
    if bytes.first() != Some(&0x80) {
        return Err("is not a pickle of protocol 2 or later".into());
    }
    let (root, objects, _) = machine::run(bytes, Purpose::Words)?;
    let Value::List(list) = root else {
        return Err("holds no list of texts".into());
    };
    let text = |value: &Value| match value {
        Value::Text(text) => Ok((*text).to_string()),
        _ => Err("holds a list of which not all is text".to_string()),
    };
    let mut size: usize = 0;
    objects.lists[list]
        .iter()
        .map(|value| {
            let text = text(value)?;
            // One text can be in the list any number of times, and costs the file a few bytes each.
            size += text.len();
            if size > bytes.len().max(1 << 20) { Err("has a pickle that multiplies itself".into()) } else { Ok(text) }
        })
        .collect()
}

impl<'a> TensorView<'a> {
    /// The numbers in row-major order, little-endian.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        if self.shape.contains(&0) {
            return Cow::Borrowed(&[]);
        }
        if is_contiguous(self.shape, self.strides) {
            return Cow::Borrowed(self.data);
        }
        let (size, rank) = (self.dtype.size(), self.shape.len());
        let count: usize = self.shape.iter().product();
        let mut gathered = Vec::with_capacity(count * size);
        let (mut index, mut at) = (vec![0; rank], 0);
        for _ in 0..count {
            gathered.extend_from_slice(&self.data[at * size..(at + 1) * size]);
            // Count up, the last dimension first.
            for d in (0..rank).rev() {
                index[d] += 1;
                at += self.strides[d];
                if index[d] < self.shape[d] {
                    break;
                }
                at -= self.strides[d] * self.shape[d];
                index[d] = 0;
            }
        }
        Cow::Owned(gathered)
    }
}

fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(&n, &stride)| {
        let fits = n == 1 || stride == expected;
        expected *= n;
        fits
    })
}

fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let contents = container::open(bytes)?;
    let objects = &contents.objects;
    let mut seen = HashSet::new();
    let mut tensors = Vec::new();
    for &(key, value) in state_dict(objects, contents.root, 0)? {
        // Dictionaries also hold what is not a tensor: counters, a module's extra state.
        let (Value::Text(name), Value::Tensor(tensor)) = (key, value) else { continue };
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(format!("holds a tensor with the impossible name {}", machine::shown(name)));
        }
        if !seen.insert(name) {
            return Err(format!("holds two tensors called `{name}`"));
        }
        let spec = &objects.tensors[tensor];
        let storage = &objects.storages[spec.storage];
        let size = storage.dtype.size();
        let start = contents.storages[spec.storage] + spec.offset * size;
        tensors.push(Tensor {
            name: name.to_string(),
            dtype: storage.dtype,
            shape: spec.shape.clone(),
            strides: spec.strides.clone(),
            data: start..start + spec.extent * size,
        });
    }
    if tensors.is_empty() {
        return Err("holds tensors, but none that has a name".into());
    }
    Ok(tensors)
}

const MAX_NAME: usize = 1_000;

/// Where training scripts put the network's tensors in a checkpoint.
const USUAL: [&str; 7] = ["state_dict", "model_state_dict", "model", "module", "net", "network", "params"];

/// Finds the dictionary that holds tensors: below the root under a usual key, or the root, or the only one below it.
fn state_dict<'o, 'a>(
    objects: &'o Objects<'a>,
    root: Value<'a>,
    depth: usize,
) -> Result<&'o [(Value<'a>, Value<'a>)], String> {
    let dict_of = |value| match value {
        Value::Dict(i) => Some(objects.dicts[i].as_slice()),
        _ => None,
    };
    let Some(entries) = dict_of(root) else {
        return Err("holds no dictionary of tensors; save `model.state_dict()`, not the model".into());
    };
    // The usual keys come first: a script may keep a tensor of its own, such as the best accuracy, beside them.
    let below = |key: &str| entries.iter().find(|(k, v)| *k == Value::Text(key) && dict_of(*v).is_some());
    if let Some((_, value)) = USUAL.iter().find_map(|key| below(key)).filter(|_| depth < 4)
        && let Ok(found) = state_dict(objects, *value, depth + 1)
    {
        return Ok(found);
    }
    let has_tensors = |entries: &[(Value, Value)]| entries.iter().any(|(_, value)| matches!(value, Value::Tensor(_)));
    if has_tensors(entries) {
        return Ok(entries);
    }
    let mut with_tensors = entries.iter().filter_map(|(_, value)| dict_of(*value)).filter(|below| has_tensors(below));
    match (with_tensors.next(), with_tensors.next()) {
        (Some(only), None) => Ok(only),
        _ => {
            let keys = entries.iter().take(10).map(|(key, _)| match key {
                Value::Text(text) => machine::shown(text),
                other => format!("{other:?}"),
            });
            let keys = keys.collect::<Vec<_>>().join(", ");
            Err(format!("holds no dictionary of tensors that stands out; its keys are [{keys}]"))
        }
    }
}
