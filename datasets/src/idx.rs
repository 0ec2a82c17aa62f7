//! The IDX format, in which MNIST is published: a magic number that names the element type and the number of
//! dimensions, the dimensions as big-endian 32-bit numbers, then the elements, row after row.
//!
//! Files may be gzipped or plain; the first two bytes tell which. Sizes in a header are promises, not facts: nothing is
//! allocated for a promise that the file is too small to keep.
#![warn(clippy::indexing_slicing)]

use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use tallow_io::atomic;

use crate::error::{Error, Result};

/// An array as an IDX file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Idx<T> {
    /// The length of each dimension, outermost first: `[60000, 28, 28]` for MNIST's training images.
    pub shape: Vec<usize>,
    /// The elements, the last dimension running fastest.
    pub data: Vec<T>,
}

/// One of the six element types that IDX knows.
pub trait Element: Copy + sealed::Sealed {
    /// The type's code in the third byte of the magic number.
    const CODE: u8;
    /// Bytes that one element takes.
    const BYTES: usize;
    /// The type's name in messages.
    const NAME: &'static str;
    /// Reads one element from its big-endian bytes.
    fn from_big_endian(bytes: &[u8]) -> Self;
    /// Appends the element's big-endian bytes.
    fn to_big_endian(self, out: &mut Vec<u8>);
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! element {
    ($type:ty, $code:literal) => {
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const CODE: u8 = $code;
            const BYTES: usize = size_of::<$type>();
            const NAME: &'static str = stringify!($type);
            fn from_big_endian(bytes: &[u8]) -> Self {
                let mut buffer = [0; size_of::<$type>()];
                buffer.copy_from_slice(bytes);
                <$type>::from_be_bytes(buffer)
            }
            fn to_big_endian(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    };
}
element!(u8, 0x08);
element!(i8, 0x09);
element!(i16, 0x0B);
element!(i32, 0x0C);
element!(f32, 0x0D);
element!(f64, 0x0E);

/// Deflate cannot pack better than about 1 : 1032, so a compressed file of n bytes holds at most this many times n.
const MOST_DEFLATE_CAN_DO: u64 = 1_100;

/// Reads an IDX file of unsigned bytes, gzipped or plain.
///
/// # Errors
/// As [`read`].
pub fn read_u8(path: impl AsRef<Path>) -> Result<Idx<u8>> {
    read(path)
}

/// Reads an IDX file, gzipped or plain.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Damaged`] where it is not IDX, holds another element type, is
/// cut short, or goes on past its end.
pub fn read<T: Element>(path: impl AsRef<Path>) -> Result<Idx<T>> {
    let path = path.as_ref();
    let file = tallow_io::read::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    decode(BufReader::new(file), size, path)
}

/// Reads an IDX array from bytes, gzipped or plain. `name` stands for the file in messages.
///
/// # Errors
/// As [`read`].
pub fn from_bytes<T: Element>(name: impl AsRef<Path>, bytes: &[u8]) -> Result<Idx<T>> {
    decode(bytes, bytes.len() as u64, name.as_ref())
}

/// The array as the bytes of a plain IDX file.
///
/// # Errors
/// [`Error::Damaged`], naming `name`, where the shape does not multiply to the number of elements, or does not fit the
/// format: at most 255 dimensions, each under 2^32.
pub fn to_bytes<T: Element>(name: impl AsRef<Path>, array: &Idx<T>) -> Result<Vec<u8>> {
    let elements = array.shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    if elements != Some(array.data.len()) || array.shape.len() > 255 {
        let expected = format!("{} elements in shape {:?}", array.data.len(), array.shape);
        return Err(Error::damaged(name.as_ref(), expected, "a shape that does not fit them"));
    }
    let mut out = Vec::with_capacity(4 + 4 * array.shape.len() + T::BYTES * array.data.len());
    out.extend_from_slice(&[0, 0, T::CODE, array.shape.len() as u8]);
    for &n in &array.shape {
        let n = u32::try_from(n)
            .map_err(|_| Error::damaged(name.as_ref(), "dimensions under 2^32", format!("a dimension of {n}")))?;
        out.extend_from_slice(&n.to_be_bytes());
    }
    for &element in &array.data {
        element.to_big_endian(&mut out);
    }
    Ok(out)
}

/// Writes a plain IDX file, whole or not at all.
///
/// # Errors
/// As [`to_bytes`] and [`atomic::write()`].
pub fn write<T: Element>(path: impl AsRef<Path>, array: &Idx<T>) -> Result<()> {
    let path = path.as_ref();
    Ok(atomic::write(path, to_bytes(path, array)?)?)
}

fn decode<T: Element>(mut source: impl Read, size: u64, path: &Path) -> Result<Idx<T>> {
    let failed = |source| Error::reading(path, "a whole IDX file", source);
    let mut magic = [0; 2];
    source.read_exact(&mut magic).map_err(failed)?;
    let whole = magic.as_slice().chain(source);
    if magic == [0x1f, 0x8b] {
        // The multi-member decoder also insists that nothing else follows the compressed data.
        decode_plain(MultiGzDecoder::new(whole), size.saturating_mul(MOST_DEFLATE_CAN_DO), path)
    } else {
        decode_plain(whole, size, path)
    }
}

/// `most` bounds the number of bytes that `source` can deliver.
fn decode_plain<T: Element>(mut source: impl Read, most: u64, path: &Path) -> Result<Idx<T>> {
    let failed = |source| Error::reading(path, "a whole IDX file", source);
    let mut magic = [0; 4];
    source.read_exact(&mut magic).map_err(failed)?;
    let [0, 0, code, rank] = magic else {
        let got = format!("magic number {:#010x}", u32::from_be_bytes(magic));
        return Err(Error::damaged(path, "an IDX file, which starts with two zero bytes", got));
    };
    if code != T::CODE {
        let expected = format!("elements of type {} (code {:#04x})", T::NAME, T::CODE);
        return Err(Error::damaged(path, expected, format!("elements of code {code:#04x}")));
    }
    let mut shape = Vec::with_capacity(rank.into());
    for _ in 0..rank {
        let mut n = [0; 4];
        source.read_exact(&mut n).map_err(failed)?;
        shape.push(u32::from_be_bytes(n) as usize);
    }

    let header = 4 + 4 * u64::from(rank);
    let promised = shape.iter().try_fold(T::BYTES as u64, |product, &n| product.checked_mul(n as u64));
    let Some(promised) = promised.filter(|&promised| promised <= most.saturating_sub(header)) else {
        let bytes = promised.map_or("more than 2^64".into(), |bytes| (bytes + header).to_string());
        let expected = format!("{bytes} bytes for shape {shape:?} of {}", T::NAME);
        return Err(Error::damaged(path, expected, format!("at most {most}")));
    };

    // One byte more than promised shows whether the file goes on.
    let mut bytes = Vec::new();
    match source.take(promised + 1).read_to_end(&mut bytes) {
        // A compressed file that was cut short: what came before the cut tells by how much.
        Err(cut) if cut.kind() == ErrorKind::UnexpectedEof && (bytes.len() as u64) < promised => {}
        result => drop(result.map_err(failed)?),
    }
    if bytes.len() as u64 != promised {
        let expected = format!("{} bytes for shape {shape:?} of {}", promised + header, T::NAME);
        let got = match bytes.len() as u64 {
            more if more > promised => "more".to_string(),
            fewer => (fewer + header).to_string(),
        };
        return Err(Error::damaged(path, expected, got));
    }
    Ok(Idx { shape, data: bytes.chunks_exact(T::BYTES).map(T::from_big_endian).collect() })
}
