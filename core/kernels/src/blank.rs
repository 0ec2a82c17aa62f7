//! Memory that is about to be written.
//!
//! A kernel's result is as large as its input, and to set its memory to zero first would be one more pass over it. So
//! kernels get a [`Blank`], which can be written but not read. Whatever writes all of it returns the slice of values,
//! and only in exchange for that slice does [`filled`] give a `Vec`: safe code never sees a value that was not written.
#![allow(unsafe_code)]

use pulp::Simd;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Memory for values that are not there yet.
pub(crate) struct Blank<'a, T = f32>(&'a mut [MaybeUninit<T>]);

/// A vector of `len` values that `write` writes.
#[inline(always)] // into code whose instructions are chosen already
pub(crate) fn filled<T>(len: usize, write: impl FnOnce(Blank<'_, T>) -> &mut [T]) -> Vec<T> {
    let mut values = Vec::new();
    refill(&mut values, len, write);
    values
}

/// [`filled`] in memory that is there already, if it is large enough.
#[inline(always)]
pub(crate) fn refill<T>(values: &mut Vec<T>, len: usize, write: impl FnOnce(Blank<'_, T>) -> &mut [T]) {
    values.clear();
    values.reserve_exact(len);
    complete(&mut values.spare_capacity_mut()[..len], write);
    // SAFETY: the capacity is there, and `complete` has seen all values written.
    unsafe { values.set_len(len) }
}

/// [`filled`] by several threads, block by block, each block of `block` values from an item of `inputs`.
pub(crate) fn fill<I: Send, T: Send>(
    len: usize,
    block: usize,
    inputs: impl IndexedParallelIterator<Item = I>,
    write: impl Fn(I, Blank<'_, T>) -> &mut [T] + Sync,
) -> Vec<T> {
    filled(len, |out| out.par_chunks(block, inputs, write))
}

/// [`fill`] for two vectors of the same length that are written together.
pub(crate) fn fill_pair<I: Send, T: Send>(
    len: usize,
    block: usize,
    inputs: impl IndexedParallelIterator<Item = I>,
    write: impl for<'a, 'b> Fn(I, Blank<'a, T>, Blank<'b, T>) -> (&'a mut [T], &'b mut [T]) + Sync,
) -> [Vec<T>; 2] {
    let mut pair = [Vec::with_capacity(len), Vec::with_capacity(len)];
    let [a, b] = pair.each_mut().map(|values: &mut Vec<T>| values.spare_capacity_mut()[..len].par_chunks_mut(block));
    let blocks = a.zip(b).zip(inputs).map(|((a, b), input)| {
        let memory = [address(a), address(b)];
        let (a, b) = write(input, Blank(a), Blank(b));
        assert!(memory == [address(a), address(b)], "a kernel left values unwritten");
        a.len()
    });
    let written: usize = blocks.sum();
    assert!(written == len, "a kernel wrote {written} of {len} values");
    // SAFETY: the capacity is there, and all blocks were returned as written.
    pair.iter_mut().for_each(|values| unsafe { values.set_len(len) });
    pair
}

impl<'a, T> From<&'a mut [T]> for Blank<'a, T> {
    /// Memory that was written before may be written again.
    fn from(values: &'a mut [T]) -> Blank<'a, T> {
        let (start, len) = (values.as_mut_ptr().cast(), values.len());
        // SAFETY: the same memory, borrowed for as long; nothing but values can be written through a `Blank`.
        Blank(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }
}

impl<'a, T> Blank<'a, T> {
    /// Memory that other code looks after.
    ///
    /// # Safety
    /// There must be room for `len` values, which nothing else reads or writes during `'a`.
    pub(crate) unsafe fn from_raw_parts(start: *mut T, len: usize) -> Blank<'a, T> {
        // SAFETY: by the caller's promise, and `MaybeUninit` may hold anything.
        Blank(unsafe { std::slice::from_raw_parts_mut(start.cast(), len) })
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }

    /// `len` of the values, from `start` on.
    #[inline(always)]
    pub(crate) fn part(&mut self, start: usize, len: usize) -> Blank<'_, T> {
        Blank(&mut self.0[start..start + len])
    }

    /// The values, when all have been written in other ways.
    ///
    /// # Safety
    /// All of them must have been written.
    #[inline(always)]
    pub(crate) unsafe fn assume_filled(self) -> &'a mut [T] {
        // SAFETY: initialised, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len()) }
    }

    /// Writes one value after the other.
    #[inline(always)]
    pub(crate) fn write(self, values: impl IntoIterator<Item = T>) -> &'a mut [T] {
        let mut written = 0;
        for (place, value) in self.0.iter_mut().zip(values) {
            place.write(value);
            written += 1;
        }
        assert!(written == self.0.len(), "a kernel left values unwritten");
        // SAFETY: as many were written as there are.
        unsafe { self.assume_filled() }
    }

    /// Copies.
    #[inline(always)]
    pub(crate) fn copy(self, values: &[T]) -> &'a mut [T] {
        assert!(values.len() == self.0.len(), "a kernel left values unwritten");
        // SAFETY: as many values on both sides, and an exclusive borrow overlaps no other.
        unsafe {
            std::ptr::copy_nonoverlapping(values.as_ptr(), self.0.as_mut_ptr().cast(), values.len());
            self.assume_filled()
        }
    }

    /// Copies slices, one after the other.
    #[inline(always)]
    pub(crate) fn join<'x>(self, parts: impl IntoIterator<Item = &'x [T]>) -> &'a mut [T]
    where
        T: 'x,
    {
        let mut written = 0;
        for part in parts {
            Blank(&mut self.0[written..written + part.len()]).copy(part);
            written += part.len();
        }
        assert!(written == self.0.len(), "a kernel left values unwritten");
        // SAFETY: the parts fill the whole.
        unsafe { self.assume_filled() }
    }

    /// Sets all to one value.
    #[inline(always)]
    pub(crate) fn fill(self, value: T) -> &'a mut [T]
    where
        T: Copy,
    {
        self.0.fill(MaybeUninit::new(value));
        // SAFETY: all were written.
        unsafe { self.assume_filled() }
    }

    /// Writes chunks of `width` values (the last one may be shorter) in order, each from an item of `inputs`.
    #[inline(always)]
    pub(crate) fn chunks<I>(
        self,
        width: usize,
        inputs: impl IntoIterator<Item = I>,
        mut write: impl FnMut(I, Blank<'_, T>) -> &mut [T],
    ) -> &'a mut [T] {
        let mut written = 0;
        for (chunk, input) in self.0.chunks_mut(width).zip(inputs) {
            written += complete(chunk, |chunk| write(input, chunk));
        }
        assert!(written == self.0.len(), "a kernel left values unwritten");
        // SAFETY: the chunks are all there is, and all were written.
        unsafe { self.assume_filled() }
    }

    /// [`Blank::chunks`] by several threads.
    pub(crate) fn par_chunks<I: Send>(
        self,
        width: usize,
        inputs: impl IndexedParallelIterator<Item = I>,
        write: impl Fn(I, Blank<'_, T>) -> &mut [T] + Sync,
    ) -> &'a mut [T]
    where
        T: Send,
    {
        let chunks = self.0.par_chunks_mut(width).zip(inputs);
        let written: usize = chunks.map(|(chunk, input)| complete(chunk, |chunk| write(input, chunk))).sum();
        assert!(written == self.0.len(), "a kernel left values unwritten");
        // SAFETY: the chunks are all there is, and all were written.
        unsafe { self.assume_filled() }
    }
}

impl<'a> Blank<'a> {
    /// Writes the values of a register, or as many of them as there is room for.
    #[inline(always)]
    pub(crate) fn store<S: Simd>(self, simd: S, values: S::f32s) -> &'a mut [f32] {
        if self.0.len() == S::F32_LANES {
            // SAFETY: a register's room, at any address.
            unsafe {
                self.0.as_mut_ptr().cast::<S::f32s>().write_unaligned(values);
                return self.assume_filled();
            }
        }
        let mut lanes = [0.0; MOST_LANES];
        simd.partial_store_f32s(&mut lanes[..S::F32_LANES], values);
        let n = self.0.len();
        self.copy(&lanes[..n])
    }
}

/// Values of the widest register, AVX-512's.
const MOST_LANES: usize = 16;

/// Has all of `memory` written, and counts its values. A `&mut [T]` at the same address and of the same length can be
/// nothing but this memory, and initialised.
#[inline(always)]
fn complete<T>(memory: &mut [MaybeUninit<T>], write: impl FnOnce(Blank<'_, T>) -> &mut [T]) -> usize {
    let expected = address(memory);
    let written = address(write(Blank(memory)));
    assert!(written == expected, "a kernel left values unwritten");
    expected.1
}

#[inline(always)]
fn address<T>(values: &[T]) -> (*const (), usize) {
    (values.as_ptr().cast(), values.len())
}

#[cfg(test)]
mod tests {
    use super::{fill, fill_pair, filled};
    use rayon::prelude::*;
    use std::panic::catch_unwind;

    #[test]
    fn what_is_written_is_what_is_there() {
        let xs: Vec<f32> = (0..10).map(|i| i as f32).collect();
        assert_eq!(filled(10, |out| out.chunks(4, xs.chunks(4), |xs, out| out.copy(xs))), xs);
        assert_eq!(fill(10, 3, xs.par_chunks(3), |xs, out| out.write(xs.iter().map(|x| x + 0.0))), xs);
        assert!(filled(0, |out| out.fill(1.0)).is_empty());
        let [a, b] = fill_pair(10, 3, xs.par_chunks(3), |xs, a, b| (a.copy(xs), b.fill(2.0)));
        assert_eq!((a, b), (xs, vec![2.0; 10]));
    }

    #[test]
    fn what_is_not_written_is_a_panic_and_not_a_value() {
        assert!(catch_unwind(|| filled(3, |out| out.write([1.0, 2.0]))).is_err());
        assert!(catch_unwind(|| filled(3, |out| out.copy(&[1.0]))).is_err());
        assert!(catch_unwind(|| filled(3, |_| Box::leak(Box::new([0.0; 3])))).is_err());
        assert!(catch_unwind(|| filled(3, |out| &mut out.fill(0.0)[1..])).is_err());
        assert!(catch_unwind(|| filled(3, |out| out.chunks(1, 0..2, |_, out| out.fill(0.0)))).is_err());
        assert!(catch_unwind(|| fill(9, 3, (0..2).into_par_iter(), |_, out| out.fill(0.0))).is_err());
        assert!(
            catch_unwind(|| fill_pair(4, 2, (0..1).into_par_iter(), |_, a, b| (a.fill(0.0), b.fill(0.0)))).is_err()
        );
    }
}
