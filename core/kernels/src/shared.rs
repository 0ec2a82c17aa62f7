//! One output buffer that several threads fill, each its own part.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// A buffer of `len` values that are about to be written: sparing the pass over memory that would set them to zero. The
/// values are arbitrary; a kernel that took one for a result would be caught by its tests.
pub(super) fn uninit(len: usize) -> Vec<f32> {
    let mut buffer = Vec::<f32>::with_capacity(len);
    // SAFETY: the memory is allocated, every bit pattern is a valid f32, and f32 needs no drop.
    #[allow(clippy::uninit_vec)]
    unsafe {
        buffer.set_len(len);
    }
    buffer
}

/// A slice of which threads may take disjoint parts.
#[derive(Clone, Copy)]
pub(super) struct SharedMut<'a> {
    start: *mut f32,
    len: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

// SAFETY: the pointer comes from a `&mut [f32]` that is borrowed for `'a`, so nobody else reads or writes the buffer, and
// the callers of `part` promise that parts in use at the same time do not overlap.
unsafe impl Send for SharedMut<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedMut<'_> {}

impl<'a> SharedMut<'a> {
    pub(super) fn new(slice: &'a mut [f32]) -> SharedMut<'a> {
        SharedMut { start: slice.as_mut_ptr(), len: slice.len(), lifetime: PhantomData }
    }

    /// The part `offset..offset + len`.
    ///
    /// # Safety
    /// No other live part may overlap it.
    pub(super) unsafe fn part(self, offset: usize, len: usize) -> &'a mut [f32] {
        assert!(offset + len <= self.len, "part {offset}+{len} of {}", self.len);
        // SAFETY: inside the buffer by the assertion, exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }
}
