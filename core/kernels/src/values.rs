//! Values in memory, which are `f32` or, where a network trains in mixed precision, `bf16`: the upper half of an
//! `f32`. Kernels compute in `f32` whatever their tensors hold; [`Stored::part`] widens a stretch of an input that is
//! about to be used, and [`fill_as`] rounds a stretch of the result while it is in the cache.

use super::blank::{Blank, fill, fill_pair, refill};
use super::simd::vectorized;
use candle_core::{CpuStorage, DType, Device, Layout, Result, Shape, Tensor, Var};
use half::bf16;
use rayon::prelude::*;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

/// Values that two passes over memory by several threads take at a time.
const BLOCK: usize = 1 << 13;

/// A value as it lies in memory.
pub(crate) trait Number: Copy + Send + Sync + 'static {
    const DTYPE: DType;

    /// The same number in 32 bits.
    fn wide(self) -> f32;
}

impl Number for f32 {
    const DTYPE: DType = DType::F32;

    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
}

impl Number for bf16 {
    const DTYPE: DType = DType::BF16;

    #[inline(always)]
    fn wide(self) -> f32 {
        wide(self)
    }
}

/// Values that were computed.
#[derive(Debug)]
pub(crate) enum Values {
    F32(Vec<f32>),
    BF16(Vec<bf16>),
}

/// The values of a contiguous tensor in CPU memory.
#[derive(Clone, Copy)]
pub(crate) enum Stored<'a> {
    F32(&'a [f32]),
    BF16(&'a [bf16]),
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Values {
        Values::F32(values)
    }
}

impl From<Vec<bf16>> for Values {
    fn from(values: Vec<bf16>) -> Values {
        Values::BF16(values)
    }
}

impl Values {
    /// The values rounded to `dtype`, or widened, if they are not of that type already.
    pub(crate) fn of_type(self, dtype: DType) -> Values {
        match (self, dtype) {
            (Values::F32(values), DType::BF16) => Values::BF16(narrowed(&values)),
            (Values::BF16(values), DType::F32) => Values::F32(Stored::BF16(&values).all().into_owned()),
            (values, _) => values,
        }
    }

    pub(crate) fn tensor(self, shape: impl Into<Shape>) -> Result<Tensor> {
        match self {
            Values::F32(values) => Tensor::from_vec(values, shape.into(), &Device::Cpu),
            Values::BF16(values) => Tensor::from_vec(values, shape.into(), &Device::Cpu),
        }
    }

    pub(crate) fn variable(self, shape: Shape) -> Result<Tensor> {
        match self {
            Values::F32(values) => Ok(Var::from_vec(values, shape, &Device::Cpu)?.into_inner()),
            Values::BF16(values) => Ok(Var::from_vec(values, shape, &Device::Cpu)?.into_inner()),
        }
    }

    pub(crate) fn storage(self) -> CpuStorage {
        match self {
            Values::F32(values) => CpuStorage::F32(values),
            Values::BF16(values) => CpuStorage::BF16(values),
        }
    }
}

impl<'a> Stored<'a> {
    /// What a tensor's storage holds.
    pub(crate) fn of(storage: &'a CpuStorage, layout: &Layout) -> Result<Stored<'a>> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("a kernel got a tensor that is not contiguous: {layout:?}")
        };
        match storage {
            CpuStorage::BF16(values) => Ok(Stored::BF16(&values[start..end])),
            storage => Ok(Stored::F32(&storage.as_slice::<f32>()?[start..end])),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Stored::F32(values) => values.len(),
            Stored::BF16(values) => values.len(),
        }
    }

    pub(crate) fn dtype(&self) -> DType {
        match self {
            Stored::F32(_) => DType::F32,
            Stored::BF16(_) => DType::BF16,
        }
    }

    /// Some of the values as `f32`.
    pub(crate) fn part(&self, range: Range<usize>) -> Cow<'a, [f32]> {
        match self {
            Stored::F32(values) => Cow::Borrowed(&values[range]),
            Stored::BF16(values) => {
                let values = &values[range];
                let mut wide = Vec::new();
                refill(&mut wide, values.len(), |out| widen(values, out));
                Cow::Owned(wide)
            }
        }
    }

    /// All values as `f32`, widened by several threads.
    pub(crate) fn all(&self) -> Cow<'a, [f32]> {
        match self {
            Stored::F32(values) => Cow::Borrowed(values),
            Stored::BF16(values) => Cow::Owned(fill(values.len(), BLOCK, values.par_chunks(BLOCK), widen)),
        }
    }

    /// The values, if they are `bf16`.
    pub(crate) fn bf16(self) -> Option<&'a [bf16]> {
        match self {
            Stored::F32(_) => None,
            Stored::BF16(values) => Some(values),
        }
    }

    /// All values as `bf16`, rounded if they are not.
    pub(crate) fn narrow(&self) -> Cow<'a, [bf16]> {
        match self {
            Stored::F32(values) => Cow::Owned(narrowed(values)),
            Stored::BF16(values) => Cow::Borrowed(values),
        }
    }

    /// A copy of another type.
    pub(crate) fn in_type(self, dtype: DType) -> Values {
        match (self, dtype) {
            (Stored::F32(values), DType::BF16) => Values::BF16(narrowed(values)),
            (Stored::BF16(_), DType::F32) => Values::F32(self.all().into_owned()),
            _ => self.to_values(),
        }
    }

    /// A copy.
    pub(crate) fn to_values(self) -> Values {
        match self {
            Stored::F32(values) => Values::F32(values.to_vec()),
            Stored::BF16(values) => Values::BF16(values.to_vec()),
        }
    }
}

/// [`fill`] with values of `dtype`: `write` computes a block in `f32`, which is rounded, to the nearest, while it is in
/// the cache.
pub(crate) fn fill_as<I: Send>(
    dtype: DType,
    len: usize,
    block: usize,
    inputs: impl IndexedParallelIterator<Item = I>,
    write: impl Fn(I, Blank<'_>) -> &mut [f32] + Sync,
) -> Values {
    if dtype != DType::BF16 {
        return Values::F32(fill(len, block, inputs, write));
    }
    Values::BF16(fill(len, block, inputs, |input, out: Blank<'_, bf16>| {
        let n = out.len();
        with_scratch(|[scratch, _]| {
            refill(scratch, n, |wide| write(input, wide));
            narrow(scratch, out)
        })
    }))
}

/// [`fill_as`] for two results that are written together.
pub(crate) fn fill_pair_as<I: Send>(
    dtype: DType,
    len: usize,
    block: usize,
    inputs: impl IndexedParallelIterator<Item = I>,
    write: impl for<'a, 'b> Fn(I, Blank<'a>, Blank<'b>) -> (&'a mut [f32], &'b mut [f32]) + Sync,
) -> [Values; 2] {
    if dtype != DType::BF16 {
        return fill_pair(len, block, inputs, write).map(Values::F32);
    }
    let pair = fill_pair(len, block, inputs, |input, a: Blank<'_, bf16>, b: Blank<'_, bf16>| {
        let n = a.len();
        with_scratch(|[first, second]| {
            refill(first, n, |first| {
                let mut whole = None;
                refill(second, n, |second| {
                    let (first, second) = write(input, first, second);
                    whole = Some(first);
                    second
                });
                whole.unwrap_or_default()
            });
            (narrow(first, a), narrow(second, b))
        })
    });
    pair.map(Values::BF16)
}

/// Calls `f` with memory that this thread keeps for blocks. What `f` calls may do the same, and then gets other memory.
fn with_scratch<T>(f: impl FnOnce(&mut [Vec<f32>; 2]) -> T) -> T {
    thread_local! {
        static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
    }
    let mut scratch = SCRATCH.take();
    let result = f(&mut scratch);
    SCRATCH.set(scratch);
    result
}

/// Values as `bf16`, rounded to the nearest, by several threads.
pub(crate) fn narrowed(values: &[f32]) -> Vec<bf16> {
    fill(values.len(), BLOCK, values.par_chunks(BLOCK), narrow)
}

fn widen<'a>(values: &[bf16], out: Blank<'a>) -> &'a mut [f32] {
    vectorized!(out.write(values.iter().map(|&value| wide(value))))
}

fn narrow<'a>(values: &[f32], out: Blank<'a, bf16>) -> &'a mut [bf16] {
    vectorized!(out.write(values.iter().map(|&value| nearest(value))))
}

/// The same number in 32 bits.
#[inline(always)]
pub(crate) fn wide(value: bf16) -> f32 {
    f32::from_bits(u32::from(value.to_bits()) << 16)
}

/// The nearest number of 16 bits, the even one of two that are as near. As [`bf16::from_f32`], without a branch, so
/// that loops can be vectorised.
#[inline(always)]
pub(crate) fn nearest(value: f32) -> bf16 {
    let bits = value.to_bits();
    let rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    // Of a NaN whose upper half alone would be an infinity, one that is none.
    let bits = if value.is_nan() { (bits >> 16) | 0x40 } else { rounded };
    bf16::from_bits(bits as u16)
}

#[cfg(test)]
mod tests {
    use super::{Stored, narrowed, nearest, wide};
    use half::bf16;

    #[test]
    fn rounding_is_that_of_the_half_crate() {
        // Every upper half, with lower halves around the middle between two numbers of 16 bits.
        for upper in 0..=u32::from(u16::MAX) {
            for lower in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
                let value = f32::from_bits(upper << 16 | lower);
                let (ours, theirs) = (nearest(value), bf16::from_f32(value));
                assert_eq!(ours.to_bits(), theirs.to_bits(), "{value:e}, bits {:x}", value.to_bits());
                assert_eq!(wide(ours).to_bits(), theirs.to_f32().to_bits());
            }
        }
    }

    #[test]
    fn many_values_are_rounded_as_one_is() {
        let values: Vec<f32> = (0..20_000).map(|i| (i as f32 * 0.37).sin() * 3.0).collect();
        let narrow = narrowed(&values);
        assert!(narrow.iter().zip(&values).all(|(narrow, value)| *narrow == bf16::from_f32(*value)));
        let view = Stored::BF16(&narrow);
        assert!(view.all().iter().zip(&narrow).all(|(wide, narrow)| *wide == narrow.to_f32()));
        assert_eq!(view.part(3..17), &view.all()[3..17]);
    }
}
