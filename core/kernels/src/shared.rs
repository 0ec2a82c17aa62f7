//! One output that several threads write, each its own parts, where those are not simply its blocks in order.
#![allow(unsafe_code)]

use crate::blank::Blank;
use std::marker::PhantomData;

/// Memory of which threads write disjoint parts.
pub(crate) struct SharedMut<'a, T = f32> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

impl<T> Clone for SharedMut<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SharedMut<'_, T> {}

// SAFETY: the memory is borrowed exclusively for `'a`, so nothing else reads or writes it, and code that takes a part
// promises that parts in use at the same time do not overlap.
unsafe impl<T: Send> Send for SharedMut<'_, T> {}
// SAFETY: as for `Send`.
unsafe impl<T: Send> Sync for SharedMut<'_, T> {}

impl<'a, T> SharedMut<'a, T> {
    /// For several threads that write a part of `memory` each.
    pub(crate) fn new(memory: &'a mut Blank<'_, T>) -> SharedMut<'a, T> {
        SharedMut { start: memory.as_mut_ptr(), len: memory.len(), lifetime: PhantomData }
    }

    /// The part `offset..offset + len`, to be written.
    ///
    /// # Safety
    /// No other part in use at the same time may overlap it.
    #[inline(always)]
    pub(crate) unsafe fn part(self, offset: usize, len: usize) -> Blank<'a, T> {
        // Not `offset + len`, which may overflow.
        assert!(len <= self.len && offset <= self.len - len, "part {offset}, {len} long, of {}", self.len);
        // SAFETY: inside the memory by the assertion, exclusive by the caller's promise.
        unsafe { Blank::from_raw_parts(self.start.add(offset), len) }
    }
    /// The values at `offset..offset + len`, to be read, by several threads if need be.
    ///
    /// # Safety
    /// They must have been written, and no part in use at the same time may overlap them.
    #[inline(always)]
    pub(crate) unsafe fn values(self, offset: usize, len: usize) -> &'a [T] {
        assert!(len <= self.len && offset <= self.len - len, "values {offset}, {len} long, of {}", self.len);
        // SAFETY: inside the memory by the assertion, written and not being written by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start.add(offset), len) }
    }
}
