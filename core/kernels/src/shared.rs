//! One output that several threads write, each its own parts, where those are not simply its blocks in order.
#![allow(unsafe_code)]

use crate::blank::Blank;
use std::marker::PhantomData;

/// Memory of which threads write disjoint parts.
#[derive(Clone, Copy)]
pub(crate) struct SharedMut<'a> {
    start: *mut f32,
    len: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

// SAFETY: the memory is borrowed exclusively for `'a`, so nothing else reads or writes it, and code that takes a part
// promises that parts in use at the same time do not overlap.
unsafe impl Send for SharedMut<'_> {}
// SAFETY: as for `Send`.
unsafe impl Sync for SharedMut<'_> {}

impl<'a> SharedMut<'a> {
    /// For several threads that write a part of `memory` each.
    pub(crate) fn new(memory: &'a mut Blank<'_>) -> SharedMut<'a> {
        SharedMut { start: memory.as_mut_ptr(), len: memory.len(), lifetime: PhantomData }
    }

    /// The part `offset..offset + len`, to be written.
    ///
    /// # Safety
    /// No other part in use at the same time may overlap it.
    #[inline(always)]
    pub(crate) unsafe fn part(self, offset: usize, len: usize) -> Blank<'a> {
        // Not `offset + len`, which may overflow.
        assert!(len <= self.len && offset <= self.len - len, "part {offset}, {len} long, of {}", self.len);
        // SAFETY: inside the memory by the assertion, exclusive by the caller's promise.
        unsafe { Blank::from_raw_parts(self.start.add(offset), len) }
    }
}
