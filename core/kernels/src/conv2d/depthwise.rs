//! Convolution of each channel with a kernel of its own. Here nothing is multiplied with a matrix: neighbours in memory
//! are neighbouring channels, and vectors of them go through the kernel side by side.
#![allow(unsafe_code)]

use super::geometry::Geometry;
use crate::blank::{Blank, fill};
use crate::simd::{dispatch, load, store};
use crate::tiles::Epilogue;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Registers of channels that go together.
const REGISTERS: usize = 4;

/// The result `[N, H', W', C]`.
pub(super) fn forward(
    g: &Geometry,
    xs: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    epilogue: Option<&Epilogue<'_>>,
) -> Vec<f32> {
    let gather = Gather {
        from: (g.h, g.w),
        to: (g.oh, g.ow),
        rows: (0..g.oh).map(|y| meetings(g.kernel[0], |k| g.input(0, y, k))).collect(),
        cols: (0..g.ow).map(|x| meetings(g.kernel[1], |k| g.input(1, x, k))).collect(),
    };
    gather.run(g, xs, weight, bias, epilogue)
}

/// `dx` `[N, H, W, C]`: the same with the two sides exchanged.
pub(super) fn gradient_by_input(g: &Geometry, dy: &[f32], weight: &[f32]) -> Vec<f32> {
    let gather = Gather {
        from: (g.oh, g.ow),
        to: (g.h, g.w),
        rows: (0..g.h).map(|y| meetings(g.kernel[0], |k| g.output(0, y, k))).collect(),
        cols: (0..g.w).map(|x| meetings(g.kernel[1], |k| g.output(1, x, k))).collect(),
    };
    gather.run(g, dy, weight, None, None)
}

/// The taps that meet something, with what they meet.
fn meetings(taps: usize, meets: impl Fn(usize) -> Option<usize>) -> Vec<(usize, usize)> {
    (0..taps).filter_map(|k| meets(k).map(|at| (k, at))).collect()
}

/// Each pixel of one raster as a weighted sum over pixels of another: which rows and which columns meet which.
struct Gather {
    from: (usize, usize),
    to: (usize, usize),
    rows: Vec<Vec<(usize, usize)>>,
    cols: Vec<Vec<(usize, usize)>>,
}

impl Gather {
    fn run(
        &self,
        g: &Geometry,
        source: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        epilogue: Option<&Epilogue<'_>>,
    ) -> Vec<f32> {
        let (c, (h, w), (to_h, to_w)) = (g.channels(), self.from, self.to);
        let weight = by_tap(weight, c, g.taps());
        let lines = g.n * to_h;
        fill(lines * to_w * c, to_w * c, (0..lines).into_par_iter(), |index, out| {
            let (image, rows) = (index / to_h, &self.rows[index % to_h]);
            let image = &source[image * h * w * c..][..h * w * c];
            let start = index * to_w * c;
            dispatch(Line {
                image,
                w,
                c,
                across: g.kernel[1],
                rows,
                cols: &self.cols,
                weight: &weight,
                bias,
                epilogue,
                start,
                out,
            })
        })
    }
}

/// A row of the result.
struct Line<'a, 'o> {
    image: &'a [f32],
    w: usize,
    c: usize,
    /// Taps of a row of the kernel.
    across: usize,
    rows: &'a [(usize, usize)],
    cols: &'a [Vec<(usize, usize)>],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    epilogue: Option<&'a Epilogue<'a>>,
    /// Where the row begins in the result.
    start: usize,
    out: Blank<'o>,
}

impl<'o> WithSimd for Line<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> &'o mut [f32] {
        let c = self.c;
        assert!(self.out.len() == self.cols.len() * c, "a row of another width");
        // Some registers of channels at a time: their part of the kernel stays in the nearest cache.
        let step = REGISTERS * S::F32_LANES;
        for first in (0..c).step_by(step) {
            let lanes = step.min(c - first);
            for (x, cols) in self.cols.iter().enumerate() {
                let mut sums = match self.bias {
                    Some(bias) => load_some(simd, &bias[first..first + lanes]),
                    None => [simd.splat_f32s(0.0); REGISTERS],
                };
                for &(ky, y) in self.rows {
                    for &(kx, x) in cols {
                        let values = load_some(simd, &self.image[(y * self.w + x) * c + first..][..lanes]);
                        let weight = load_some(simd, &self.weight[(ky * self.across + kx) * c + first..][..lanes]);
                        add_products(simd, &mut sums, values, weight);
                    }
                }
                let out = self.out.part(x * c + first, lanes);
                let out = out.chunks(S::F32_LANES, sums, |sum, out| out.store(simd, sum));
                if let Some(epilogue) = self.epilogue {
                    epilogue.apply(self.start + x * c + first, out);
                }
            }
        }
        // SAFETY: for each of the row's pixels all channels came up.
        unsafe { self.out.assume_filled() }
    }
}

/// Up to [`REGISTERS`] registers.
#[inline(always)]
fn load_some<S: Simd>(simd: S, from: &[f32]) -> [S::f32s; REGISTERS] {
    match S::as_simd_f32s(from) {
        ([a, b, c, d], []) => [*a, *b, *c, *d],
        _ => {
            let mut registers = [simd.splat_f32s(0.0); REGISTERS];
            for (register, from) in registers.iter_mut().zip(from.chunks(S::F32_LANES)) {
                *register = load(simd, from);
            }
            registers
        }
    }
}

#[inline(always)]
fn add_products<S: Simd>(simd: S, sums: &mut [S::f32s; REGISTERS], a: [S::f32s; REGISTERS], b: [S::f32s; REGISTERS]) {
    for i in 0..REGISTERS {
        sums[i] = simd.mul_add_e_f32s(a[i], b[i], sums[i]);
    }
}

/// `[C, taps]` to `[taps, C]`.
fn by_tap(weight: &[f32], c: usize, taps: usize) -> Vec<f32> {
    (0..taps * c).map(|i| weight[i % c * taps + i / c]).collect()
}

/// `dw` `[C, 1, kh, kw]`: a fixed number of stretches of images and rows, whose sums are added in order.
pub(super) fn gradient_by_weight(g: &Geometry, dy: &[f32], xs: &[f32]) -> Vec<f32> {
    let (c, taps, rows) = (g.channels(), g.taps(), g.n * g.oh);
    let each = rows.div_ceil(16).max(4);
    let partial: Vec<Vec<f32>> = (0..rows.div_ceil(each))
        .into_par_iter()
        .map(|part| {
            let mut sums = vec![0.0; taps * c];
            for row in part * each..((part + 1) * each).min(rows) {
                let (image, y) = (row / g.oh, row % g.oh);
                let dy = &dy[row * g.ow * c..][..g.ow * c];
                for (tap, sums) in sums.chunks_exact_mut(c).enumerate() {
                    let (ky, kx) = (tap / g.kernel[1], tap % g.kernel[1]);
                    let Some(iy) = g.input(0, y, ky) else { continue };
                    let xs = &xs[(image * g.h + iy) * g.w * c..][..g.w * c];
                    dispatch(AddRow { g, kx, dy, xs, sums });
                }
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; taps * c];
    partial.iter().for_each(|sums| total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum));
    (0..taps * c).map(|i| total[i % taps * c + i / taps]).collect()
}

/// What a row of output pixels adds to the sums of a tap.
struct AddRow<'a> {
    g: &'a Geometry,
    kx: usize,
    dy: &'a [f32],
    xs: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for AddRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let c = self.sums.len();
        let step = REGISTERS * S::F32_LANES;
        for first in (0..c).step_by(step) {
            let lanes = step.min(c - first);
            let sums = &mut self.sums[first..first + lanes];
            let mut sum = load_some(simd, sums);
            for (x, dy) in self.dy.chunks_exact(c).enumerate() {
                if let Some(ix) = self.g.input(1, x, self.kx) {
                    let (dy, xs) = (&dy[first..first + lanes], &self.xs[ix * c + first..][..lanes]);
                    add_products(simd, &mut sum, load_some(simd, dy), load_some(simd, xs));
                }
            }
            sums.chunks_mut(S::F32_LANES).zip(sum).for_each(|(sums, sum)| store(simd, sums, sum));
        }
    }
}
