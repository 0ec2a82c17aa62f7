//! Convolution of each channel with a kernel of its own. Here nothing is multiplied with a matrix: neighbours in memory
//! are neighbouring channels, and vectors of them go through the kernel side by side.

use super::geometry::Geometry;
use crate::kernels::shared::uninit;
use crate::kernels::simd::dispatch;
use rayon::prelude::*;

/// Channels that go together: their part of the kernel stays in the nearest cache.
const LANES: usize = 32;

/// The result `[N, H', W', C]`.
pub(super) fn forward(
    g: &Geometry,
    xs: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    finish: Option<&(dyn Fn(usize, &mut [f32]) + Sync)>,
) -> Vec<f32> {
    let gather = Gather {
        from: (g.h, g.w),
        to: (g.oh, g.ow),
        rows: (0..g.oh).map(|y| meetings(g.kernel[0], |k| g.input(0, y, k))).collect(),
        cols: (0..g.ow).map(|x| meetings(g.kernel[1], |k| g.input(1, x, k))).collect(),
    };
    gather.run(g, xs, weight, bias, finish)
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
        finish: Option<&(dyn Fn(usize, &mut [f32]) + Sync)>,
    ) -> Vec<f32> {
        let (c, (h, w), (to_h, to_w)) = (g.channels(), self.from, self.to);
        let weight = by_tap(weight, c, g.taps());
        let mut out = uninit(g.n * to_h * to_w * c);
        out.par_chunks_exact_mut(to_w * c).enumerate().for_each(|(index, out)| {
            let (image, rows) = (index / to_h, &self.rows[index % to_h]);
            let image = &source[image * h * w * c..][..h * w * c];
            dispatch(|| {
                for first in (0..c).step_by(LANES) {
                    let lanes = LANES.min(c - first);
                    for (x, cols) in self.cols.iter().enumerate() {
                        let mut sums = [0.0; LANES];
                        if let Some(bias) = bias {
                            sums[..lanes].copy_from_slice(&bias[first..first + lanes]);
                        }
                        for &(ky, y) in rows {
                            for &(kx, x) in cols {
                                let values = &image[(y * w + x) * c + first..][..lanes];
                                let weight = &weight[(ky * g.kernel[1] + kx) * c + first..][..lanes];
                                add_products(&mut sums, values, weight);
                            }
                        }
                        out[x * c + first..][..lanes].copy_from_slice(&sums[..lanes]);
                    }
                }
            });
            if let Some(finish) = finish {
                finish(index * to_w * c, out);
            }
        });
        out
    }
}

/// `sums += a * b`. With all lanes in use the sums stay in registers.
#[inline(always)]
fn add_products(sums: &mut [f32; LANES], a: &[f32], b: &[f32]) {
    if let (Ok(a), Ok(b)) = (<&[f32; LANES]>::try_from(a), <&[f32; LANES]>::try_from(b)) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    } else {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
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
                    dispatch(|| add_row(g, kx, c, dy, xs, sums));
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
#[inline(always)]
fn add_row(g: &Geometry, kx: usize, c: usize, dy: &[f32], xs: &[f32], sums: &mut [f32]) {
    for first in (0..c).step_by(LANES) {
        let lanes = LANES.min(c - first);
        let mut sum = [0.0; LANES];
        for (x, dy) in dy.chunks_exact(c).enumerate() {
            if let Some(ix) = g.input(1, x, kx) {
                add_products(&mut sum, &dy[first..first + lanes], &xs[ix * c + first..][..lanes]);
            }
        }
        sums[first..first + lanes].iter_mut().zip(sum).for_each(|(sums, sum)| *sums += sum);
    }
}
