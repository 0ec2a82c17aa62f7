//! Products of `bf16` in the registers of [`super::amx`], which hold whole tiles: many times the work of a vector's in
//! the same time.
#![allow(unsafe_code)]

use super::amx::{Amx, Corner, SIDE, SQUARE};
use super::gemm::{Block, zeros};
use super::{Element, MAX_NR};
use crate::activation::Activation;
use crate::simd::load;
use pulp::Simd;
use std::ops::Range;
use std::ptr::copy_nonoverlapping;
use std::slice;

/// Rows that are computed together, and columns: two squares.
const TWO: usize = 2 * SIDE;

/// The sums of two by two squares.
#[repr(C, align(64))]
struct Sums([f32; TWO * TWO]);

impl<E: Element> Block<'_, E> {
    /// Computes the block. There are `depth` pointers for each piece, one for each row, and more.
    #[inline(always)]
    pub(super) fn by_squares<S: Simd>(&self, simd: S, amx: &Amx, pieces: &[*const E], depth: usize, places: &[usize]) {
        let gemm = self.gemm;
        let lanes = gemm.len / E::PER_LANE;
        let runs = runs(gemm.segments);
        let steps: usize = runs.iter().map(|run| (run.len() * lanes).div_ceil(SIDE)).sum();
        let left = self.left(&runs, steps, pieces, depth);
        let (mut tails, mut rights) = (vec![0.0; runs.len() * SIDE * MAX_NR], Vec::with_capacity(steps));
        let mut sums = Sums([0.0; TWO * TWO]);
        for index in self.panels.clone() {
            let (panel, columns, width) = gemm.panels.panel(index);
            for from in (0..width).step_by(TWO) {
                rights.clear();
                for (run, tail) in runs.iter().zip(tails.chunks_exact_mut(SIDE * MAX_NR)) {
                    let rows = &panel[gemm.segments[run.start] * lanes * width..][..run.len() * lanes * width];
                    let (whole, rest) = rows.split_at(rows.len() / (SIDE * width) * (SIDE * width));
                    rights.extend(whole.chunks_exact(SIDE * width).map(|rows| rows[from..].as_ptr()));
                    if !rest.is_empty() {
                        // On the left there are zeros beyond the last lane; what they meet must be a number.
                        tail[..rest.len()].copy_from_slice(rest);
                        tail[rest.len()..SIDE * width].fill(0.0);
                        rights.push(tail[from..].as_ptr());
                    }
                }
                let column = index * gemm.panels.width() + from;
                let bias = if self.bias.is_empty() { zeros() } else { self.bias[column..][..SIDE].as_ptr() };
                let bias = Corner { first: bias, stride: 0 };
                let to = Corner { first: sums.0.as_mut_ptr(), stride: TWO };
                let n = (columns - from).min(TWO);
                for (strip, places) in places.chunks(TWO).enumerate() {
                    let left = [2 * strip, 2 * strip + 1].map(|i| left.as_ptr().wrapping_add(i * steps * SQUARE));
                    // SAFETY: on the left there are as many squares as on the right, whose rows are those of a panel or
                    // of a tail; the bias is as long as whole panels, and read again for each row.
                    unsafe {
                        match width - from {
                            SIDE => amx.add_product::<1>(left, &rights, width, bias, to),
                            _ => amx.add_product::<2>(left, &rights, width, bias, to),
                        }
                    }
                    self.write(simd, &sums, places, column, n);
                }
            }
        }
    }

    /// The rows' pieces as squares, `[16 rows][step][row][lane]`, with zeros where the image or a run of pieces ends.
    /// There are whole pairs of squares; what stands in rows beyond the last one counts for nothing. The vector's
    /// length says nothing, since such rows are not written.
    #[inline(always)]
    fn left(&self, runs: &[Range<usize>], steps: usize, pieces: &[*const E], depth: usize) -> Vec<f32> {
        let lanes = self.gemm.len / E::PER_LANE;
        let size = self.rows.len().next_multiple_of(TWO) * steps * SIDE;
        let mut left = Vec::with_capacity(size);
        let start: *mut f32 = left.as_mut_ptr();
        for row in 0..self.rows.len() {
            let squares = row / SIDE * steps * SQUARE + row % SIDE * SIDE;
            let mut step = 0;
            for run in runs {
                let mut lane = step * SIDE;
                for piece in run.clone() {
                    let from = pieces[piece * depth + row];
                    let mut done = 0;
                    while done < lanes {
                        let n = (SIDE - lane % SIDE).min(lanes - done);
                        // SAFETY: `n` lanes of a row of a square, and of a piece, which has `lanes` of them, or is
                        // zeros.
                        unsafe {
                            let to = start.add(squares + lane / SIDE * SQUARE + lane % SIDE);
                            match (from == zeros(), n) {
                                (true, _) => to.write_bytes(0, n),
                                // Of a length that the compiler knows.
                                (_, SIDE) => copy_nonoverlapping(from.add(done * E::PER_LANE).cast(), to, SIDE),
                                _ => copy_nonoverlapping(from.add(done * E::PER_LANE).cast(), to, n),
                            }
                        }
                        (done, lane) = (done + n, lane + n);
                    }
                }
                step += (run.len() * lanes).div_ceil(SIDE);
                // SAFETY: the rest of the row of the run's last square.
                unsafe {
                    let to = start.add(squares + lane / SIDE * SQUARE + lane % SIDE);
                    to.write_bytes(0, step * SIDE - lane);
                }
            }
        }
        left
    }

    /// Writes the first `n` of the sums of each row, and does what follows them.
    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, sums: &Sums, places: &[usize], column: usize, n: usize) {
        let epilogue = self.gemm.epilogue;
        let now = epilogue.filter(|epilogue| epilogue.in_registers());
        let activation = now.map_or(Activation::None, |epilogue| epilogue.activation);
        let residual = now.and_then(|epilogue| epilogue.residual);
        for (&at, sums) in places.iter().zip(sums.0.chunks_exact(TWO)) {
            // SAFETY: the columns of a row belong to this task, and only one part is in use at a time.
            let mut part = unsafe { self.out.part(at + column, n) };
            let residual = residual.map(|residual| &residual[at + column..][..n]);
            for first in (0..n).step_by(S::F32_LANES) {
                let m = (n - first).min(S::F32_LANES);
                let mut value = load(simd, &sums[first..first + S::F32_LANES]);
                if self.gemm.accumulate {
                    // SAFETY: what is added to was written before.
                    let there = unsafe { slice::from_raw_parts(part.as_mut_ptr().add(first), m) };
                    value = simd.add_f32s(value, register(simd, there));
                }
                if let Some(residual) = residual {
                    value = simd.add_f32s(value, register(simd, &residual[first..first + m]));
                }
                let [[value]] = activation.of_registers(simd, [[value]]);
                let to = part.part(first, m).as_mut_ptr();
                // SAFETY: there is room for `m` values.
                unsafe {
                    match m == S::F32_LANES {
                        true => E::write(simd, to, value),
                        false => E::store(simd, slice::from_raw_parts_mut(to, m), value),
                    }
                }
            }
            if let (Some(epilogue), None) = (epilogue, now) {
                // SAFETY: written just now.
                E::finish(epilogue, at + column, unsafe { part.assume_filled() });
            }
        }
    }
}

/// A register of the values that there are.
#[inline(always)]
fn register<E: Element, S: Simd>(simd: S, values: &[E]) -> S::f32s {
    match values.len() == S::F32_LANES {
        // SAFETY: as many as a register has.
        true => unsafe { E::read(simd, values.as_ptr()) },
        false => E::load(simd, values),
    }
}

/// The pieces whose segments follow one another: together they are one row of lanes.
fn runs(segments: &[usize]) -> Vec<Range<usize>> {
    let ends = (1..=segments.len()).filter(|&i| segments.get(i) != Some(&(segments[i - 1] + 1)));
    let mut first = 0;
    ends.map(|end| std::mem::replace(&mut first, end)..end).collect()
}
