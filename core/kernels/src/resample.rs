//! Images as weighted sums of images' rows and columns: what mean pools and upsampling have in common.

use super::blank::{Blank, fill};
use super::graph::record;
use super::simd::{dispatch, load};
use super::{channels_first, channels_last, fast, with_values};
use candle_core::{Device, Result, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// For each row (or column) of the result, which rows of the source it is a sum of, with their weights.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    size: usize,
    taps: Vec<Vec<(usize, f64)>>,
}

impl Axis {
    /// A source of `size` rows.
    pub(super) fn new(size: usize, taps: Vec<Vec<(usize, f64)>>) -> Axis {
        Axis { size, taps }
    }

    /// The way back, from the result to the source.
    fn transposed(&self) -> Axis {
        let mut taps = vec![Vec::new(); self.size];
        for (to, from) in self.taps.iter().enumerate() {
            from.iter().for_each(|&(from, weight)| taps[from].push((to, weight)));
        }
        Axis { size: self.taps.len(), taps }
    }

    /// `[result, source]`, like another tensor in type and device.
    fn matrix(&self, like: &Tensor) -> Result<Tensor> {
        let mut matrix = vec![0.0; self.taps.len() * self.size];
        for (row, taps) in self.taps.iter().enumerate() {
            taps.iter().for_each(|&(column, weight)| matrix[row * self.size + column] += weight);
        }
        Tensor::from_vec(matrix, (self.taps.len(), self.size), &Device::Cpu)?
            .to_dtype(like.dtype())?
            .to_device(like.device())
    }
}

/// `[N, H, W, C]` to `[N, H', W', C]`, with one axis for rows and one for columns.
pub(super) fn resample(xs: &Tensor, axes: [Axis; 2]) -> Result<Tensor> {
    let (n, _, _, c) = xs.dims4()?;
    let shape = (n, axes[0].taps.len(), axes[1].taps.len(), c);
    if !fast(xs) {
        // Two products with matrices, whose gradients are right.
        let rows = axes[0].matrix(xs)?.broadcast_matmul(&channels_first(xs)?.contiguous()?)?;
        return channels_last(&rows.broadcast_matmul(&axes[1].matrix(xs)?.t()?)?);
    }
    let values = with_values(xs, |xs| Ok(run(xs, &axes, c)))?;
    let source = xs.shape().clone();
    record(&[xs], values, shape, move |_, grad, _| {
        let dx = with_values(grad, |dy| Ok(run(dy, &[axes[0].transposed(), axes[1].transposed()], c)))?;
        Ok(vec![Some(Tensor::from_vec(dx, &source, &Device::Cpu)?)])
    })
}

fn run(xs: &[f32], axes: &[Axis; 2], c: usize) -> Vec<f32> {
    let [rows, cols] = axes;
    let images = xs.len() / (rows.size * cols.size * c);
    let line = cols.taps.len() * c;
    let lines = images * rows.taps.len();
    fill(lines * line, line, (0..lines).into_par_iter(), |index, out| {
        let (image, row) = (index / rows.taps.len(), index % rows.taps.len());
        let image = &xs[image * rows.size * cols.size * c..][..rows.size * cols.size * c];
        dispatch(Line { image, rows: &rows.taps[row], cols: &cols.taps, width: cols.size, c, out })
    })
}

/// A row of the result.
struct Line<'a, 'o> {
    image: &'a [f32],
    rows: &'a [(usize, f64)],
    cols: &'a [Vec<(usize, f64)>],
    width: usize,
    c: usize,
    out: Blank<'o>,
}

impl<'o> WithSimd for Line<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> &'o mut [f32] {
        self.out.chunks(self.c, self.cols, |cols, out| {
            out.chunks(S::F32_LANES, (0..self.c).step_by(S::F32_LANES), |first, out| {
                let mut sum = simd.splat_f32s(0.0);
                for &(row, weight) in self.rows {
                    // Row by row, so that not all of a large window's values go into one sum.
                    let mut part = simd.splat_f32s(0.0);
                    for &(col, weight) in cols {
                        let values = load(simd, &self.image[(row * self.width + col) * self.c + first..][..out.len()]);
                        part = simd.mul_add_e_f32s(values, simd.splat_f32s(weight as f32), part);
                    }
                    sum = simd.mul_add_e_f32s(part, simd.splat_f32s(weight as f32), sum);
                }
                out.store(simd, sum)
            })
        })
    }
}
