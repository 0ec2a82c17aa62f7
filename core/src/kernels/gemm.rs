//! The matrix product `C = A·B` on slices, on one thread: the blocks around it are what runs in parallel.
#![allow(unsafe_code)]

use super::shared::SharedMut;

/// A matrix that somebody else's slice holds: element (r, c) is `data[r * row + c * col]`.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) data: &'a [f32],
    pub(super) row: usize,
    pub(super) col: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix of rows of length `width`.
    pub(super) fn rows(data: &'a [f32], width: usize) -> View<'a> {
        View { data, row: width, col: 1 }
    }

    /// The transpose.
    pub(super) fn t(self) -> View<'a> {
        View { data: self.data, row: self.col, col: self.row }
    }

    fn holds(&self, rows: usize, cols: usize) -> bool {
        (rows - 1) * self.row + (cols - 1) * self.col < self.data.len()
    }
}

/// Where a product goes: element (r, c) is at `offset + r * row + c * col` of the shared buffer.
pub(super) struct Place<'a> {
    pub(super) out: SharedMut<'a>,
    pub(super) offset: usize,
    pub(super) row: usize,
    pub(super) col: usize,
}

/// `C = A·B`, or `C += A·B`, where A is `m` x `k` and B is `k` x `n`.
///
/// # Safety
/// Nobody else may touch the elements of `C` meanwhile.
pub(super) unsafe fn gemm(m: usize, n: usize, k: usize, a: View<'_>, b: View<'_>, c: &Place<'_>, accumulate: bool) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(k > 0 && a.holds(m, k) && b.holds(k, n), "matrices too small for a {m} x {k} by {k} x {n} product");
    // SAFETY: `pointer` checks the first and the last element of C, the assertion those of A and B, and every index in
    // between is smaller since all strides are positive. C is exclusive by the caller's promise.
    unsafe {
        let out = c.out.pointer(c.offset, c.offset + (m - 1) * c.row + (n - 1) * c.col);
        gemm::gemm(
            m,
            n,
            k,
            out,
            c.col as isize,
            c.row as isize,
            accumulate,
            a.data.as_ptr(),
            a.col as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.col as isize,
            b.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
