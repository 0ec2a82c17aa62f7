//! Writing safetensors files: the same tensors and notes make the same bytes.
//!
//! The format is eight bytes with the length of a header, the header in JSON, and the tensors' bytes one after the
//! other. The crate of that name writes notes in a hash map's random order.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::dtype::Dtype;

/// A tensor to be written.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its numbers, row-major and little-endian.
    pub bytes: Vec<u8>,
}

/// A safetensors file with the tensors in this order and the notes in theirs. Sort tensors of mixed types by falling
/// [`Dtype::size`] to have all of them aligned.
pub fn to_bytes(tensors: &[Tensor], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let mut header = String::from("{");
    if !metadata.is_empty() {
        let notes = metadata.iter().map(|(key, value)| format!("{}:{}", quoted(key), quoted(value)));
        let _ = write!(header, "\"__metadata__\":{{{}}}", notes.collect::<Vec<_>>().join(","));
    }
    let mut at = 0;
    for Tensor { name, dtype, shape, bytes } in tensors {
        let comma = if header.len() > 1 { "," } else { "" };
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let (name, dtype, end) = (quoted(name), dtype.name(), at + bytes.len());
        let _ =
            write!(header, "{comma}{name}:{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{at},{end}]}}");
        at = end;
    }
    header.push('}');
    // Spaces at the end align what follows.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));

    let mut file = Vec::with_capacity(8 + header.len() + at);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header.as_bytes());
    tensors.iter().for_each(|tensor| file.extend(&tensor.bytes));
    file
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
