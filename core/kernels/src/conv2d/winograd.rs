//! 3 x 3 convolution with fewer multiplications: Winograd's minimal filtering F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3),
//! after Lavin and Gray (2016).
//!
//! A tile of 4 x 4 output pixels sees 6 x 6 input pixels. Both the tile and the kernel are transformed into 36 values
//! per channel, in which the convolution is a product value by value, summed over channels: 36 products of matrices,
//! whose rows are tiles. That is a quarter of the multiplications; but sums of nine products become sums of a few
//! with larger terms, which costs about a digit: results agree with the direct sum to about 1e-6 of the largest.
//! Tiles of 2 x 2 save less, 4 of 9 multiplications stay, and cost nothing: their transforms only add, and halve.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Rows and columns of small matrices read best by index.

use super::geometry::Geometry;
use crate::blank::{Blank, filled, refill};
use crate::shared::SharedMut;
use crate::simd::{dispatch, load};
use crate::tiles::{Epilogue, Gemm, PackedB, Place};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Tiles of 2 x 2 pixels, for training.
pub(super) type F2x2 = Winograd<4, 2>;

/// Tiles of 4 x 4 pixels, for inference alone: in training, batch normalisation over few values makes a thousandth of a
/// gradient out of the last digit that is lost here.
pub(super) type F4x4 = Winograd<6, 4>;

/// A convolution from `source` to `target` images that this way can take, in tiles whose sides are `IN` in the input
/// and `OUT` in the output.
pub(super) struct Winograd<const IN: usize, const OUT: usize> {
    n: usize,
    /// Height, width and channels of an image.
    source: [usize; 3],
    target: [usize; 3],
    /// Rows and columns of zeros above and to the left.
    padding: [usize; 2],
}

/// Between pixels and the points at which tiles are multiplied, for a row or a column.
pub(super) trait Transforms<const IN: usize, const OUT: usize> {
    /// Tiles from which on this is the better way.
    const WORTH: usize;

    /// The transform of the input.
    fn to_points<S: Simd>(simd: S, pixels: [S::f32s; IN]) -> [S::f32s; IN];

    /// The transform of the kernel.
    fn kernel_to_points<S: Simd>(simd: S, kernel: [S::f32s; 3]) -> [S::f32s; IN];

    /// From the points of the result to its pixels.
    fn from_points<S: Simd>(simd: S, points: [S::f32s; IN]) -> [S::f32s; OUT];
}

impl<const IN: usize, const OUT: usize> Winograd<IN, OUT>
where
    Winograd<IN, OUT>: Transforms<IN, OUT>,
{
    /// Values into which a tile is transformed.
    const POINTS: usize = IN * IN;

    /// The convolution, if this is the better way to it.
    pub(super) fn of(g: &Geometry) -> Option<Winograd<IN, OUT>> {
        let padding = [g.padding[0][0], g.padding[1][0]];
        let (source, target) = ([g.h, g.w, g.ci], [g.oh, g.ow, g.co]);
        Winograd { n: g.n, source, target, padding }.suits(g)
    }

    /// The convolution that leads back from the gradient of the output to that of the input, if this is the better way:
    /// that of the output's pixels with the kernel turned round.
    pub(super) fn back(g: &Geometry) -> Option<Winograd<IN, OUT>> {
        let padding = [2usize.checked_sub(g.padding[0][0])?, 2usize.checked_sub(g.padding[1][0])?];
        let (source, target) = ([g.oh, g.ow, g.co], [g.h, g.w, g.ci]);
        Winograd { n: g.n, source, target, padding }.suits(g)
    }

    fn suits(self, g: &Geometry) -> Option<Winograd<IN, OUT>> {
        let kind = g.kernel == [3, 3] && g.stride == [1, 1] && g.dilation == [1, 1] && g.groups == 1;
        // Tiles that stick out of the image, thin matrices and few tiles eat up what is saved.
        let full = 2 * self.target[0] * self.target[1] >= OUT * OUT * self.tiles_of_image();
        // Where most of what a tile sees is padding, the direct way has little to do.
        let wide = self.source[0].min(self.source[1]) >= 4;
        (kind && full && wide && g.ci >= 32 && g.co >= 32 && self.tiles() >= Self::WORTH).then_some(self)
    }

    fn tiles_of_image(&self) -> usize {
        self.target[0].div_ceil(OUT) * self.target[1].div_ceil(OUT)
    }

    fn tiles(&self) -> usize {
        self.n * self.tiles_of_image()
    }

    /// Image, first row and first column of a tile in the output.
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let across = self.target[1].div_ceil(OUT);
        let (image, tile) = (tile / self.tiles_of_image(), tile % self.tiles_of_image());
        (image, tile / across * OUT, tile % across * OUT)
    }

    /// The convolution, with `epilogue` applied to each finished stretch of values.
    pub(super) fn run(
        &self,
        xs: &[f32],
        weights: &PackedB,
        bias: Option<&[f32]>,
        epilogue: Option<&Epilogue<'_>>,
    ) -> Vec<f32> {
        let (from, to) = (self.source[2], self.target[2]);
        filled(self.n * self.target[0] * self.target[1] * to, |mut out| {
            let end = End { out: SharedMut::new(&mut out), bias, epilogue };
            // As many tiles as stay in the second cache, but enough to make the most of large weights.
            let enough = if from * to < 1 << 16 { 48 } else { 192 };
            let together = ((1 << 18) / (Self::POINTS * (from + to))).max(enough).min(self.tiles());
            let chunks = (0..self.tiles().div_ceil(together)).into_par_iter();
            chunks.for_each_init(Default::default, |(points, sums), chunk| {
                let tiles = chunk * together..((chunk + 1) * together).min(self.tiles());
                self.run_tiles(tiles, xs, weights, points, sums, &end);
            });
            // SAFETY: each pixel belongs to one tile, and all tiles are written.
            unsafe { out.assume_filled() }
        })
    }

    /// The convolution for some tiles. `points` and `sums` are scratch.
    fn run_tiles(
        &self,
        tiles: Range<usize>,
        xs: &[f32],
        weights: &PackedB,
        points: &mut Vec<f32>,
        sums: &mut Vec<f32>,
        end: &End<'_>,
    ) {
        let (from, to, rows) = (self.source[2], self.target[2], tiles.len());
        refill(points, Self::POINTS * rows * from, |mut points| {
            let shared = SharedMut::new(&mut points);
            (0..rows).into_par_iter().for_each(|row| {
                dispatch(Transform { shape: self, xs, tile: tiles.start + row, row, rows, points: shared });
            });
            // SAFETY: each tile is a row of each point's matrix, and all of them are written.
            unsafe { points.assume_filled() }
        });
        let matrices = points.par_chunks_exact(rows * from).enumerate();
        refill(sums, Self::POINTS * rows * to, |sums| {
            sums.par_chunks(rows * to, matrices, |(point, source), mut sums| {
                let place = |row: usize, pieces: &mut [usize]| {
                    pieces[0] = row * from;
                    row * to
                };
                let (len, segments, place) = (from, &[point][..], &place);
                let gemm = Gemm {
                    rows,
                    source,
                    len,
                    segments,
                    panels: weights,
                    place: Place::Each(&place),
                    bias: None,
                    accumulate: false,
                    epilogue: None,
                };
                // SAFETY: rows follow each other, `to` values long, and fill the whole.
                unsafe {
                    gemm.run(SharedMut::new(&mut sums));
                    sums.assume_filled()
                }
            })
        });
        (0..rows).into_par_iter().for_each(|row| {
            dispatch(TransformBack { shape: self, sums, tile: tiles.start + row, row, rows, end });
        });
    }
}

/// Transforms a tile of the input into a row of each point's matrix.
struct Transform<'a, const IN: usize, const OUT: usize> {
    shape: &'a Winograd<IN, OUT>,
    xs: &'a [f32],
    tile: usize,
    /// Which of how many rows of the matrices.
    row: usize,
    rows: usize,
    points: SharedMut<'a>,
}

impl<const IN: usize, const OUT: usize> WithSimd for Transform<'_, IN, OUT>
where
    Winograd<IN, OUT>: Transforms<IN, OUT>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ([h, w, channels], padding) = (self.shape.source, self.shape.padding);
        let (image, top, left) = self.shape.place(self.tile);
        let xs = &self.xs[image * h * w * channels..][..h * w * channels];
        for first in (0..channels).step_by(S::F32_LANES) {
            let lanes = S::F32_LANES.min(channels - first);
            let mut half = [[simd.splat_f32s(0.0); IN]; IN];
            for row in 0..IN {
                let Some(y) = (top + row).checked_sub(padding[0]).filter(|&y| y < h) else { continue };
                let mut pixels = [simd.splat_f32s(0.0); IN];
                for col in 0..IN {
                    if let Some(x) = (left + col).checked_sub(padding[1]).filter(|&x| x < w) {
                        pixels[col] = load(simd, &xs[(y * w + x) * channels + first..][..lanes]);
                    }
                }
                half[row] = Winograd::<IN, OUT>::to_points(simd, pixels);
            }
            for col in 0..IN {
                let mut column = [simd.splat_f32s(0.0); IN];
                for row in 0..IN {
                    column[row] = half[row][col];
                }
                let values = Winograd::<IN, OUT>::to_points(simd, column);
                for row in 0..IN {
                    let start = ((row * IN + col) * self.rows + self.row) * channels + first;
                    // SAFETY: the tile's row of a point's matrix is written here alone.
                    unsafe { self.points.part(start, lanes) }.store(simd, values[row]);
                }
            }
        }
    }
}

/// Transforms a row of each point's sums back into a tile of the output.
struct TransformBack<'a, const IN: usize, const OUT: usize> {
    shape: &'a Winograd<IN, OUT>,
    sums: &'a [f32],
    tile: usize,
    row: usize,
    rows: usize,
    end: &'a End<'a>,
}

impl<const IN: usize, const OUT: usize> WithSimd for TransformBack<'_, IN, OUT>
where
    Winograd<IN, OUT>: Transforms<IN, OUT>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ([h, w, channels], end) = (self.shape.target, self.end);
        let (image, top, left) = self.shape.place(self.tile);
        for first in (0..channels).step_by(S::F32_LANES) {
            let lanes = S::F32_LANES.min(channels - first);
            let mut half = [[simd.splat_f32s(0.0); OUT]; IN];
            for row in 0..IN {
                let mut points = [simd.splat_f32s(0.0); IN];
                for col in 0..IN {
                    let start = ((row * IN + col) * self.rows + self.row) * channels + first;
                    points[col] = load(simd, &self.sums[start..start + lanes]);
                }
                half[row] = Winograd::<IN, OUT>::from_points(simd, points);
            }
            let bias = match end.bias {
                Some(bias) => load(simd, &bias[first..first + lanes]),
                None => simd.splat_f32s(0.0),
            };
            for col in 0..OUT.min(w - left) {
                let mut column = [simd.splat_f32s(0.0); IN];
                for row in 0..IN {
                    column[row] = half[row][col];
                }
                let values = Winograd::<IN, OUT>::from_points(simd, column);
                for row in 0..OUT.min(h - top) {
                    let start = ((image * h + top + row) * w + left + col) * channels + first;
                    // SAFETY: pixels belong to one tile each.
                    let pixel = unsafe { end.out.part(start, lanes) };
                    let pixel = pixel.store(simd, simd.add_f32s(values[row], bias));
                    if let Some(epilogue) = end.epilogue {
                        epilogue.apply(start, pixel);
                    }
                }
            }
        }
    }
}

/// Where results go, and what happens to them on the way.
struct End<'a> {
    out: SharedMut<'a>,
    bias: Option<&'a [f32]>,
    epilogue: Option<&'a Epilogue<'a>>,
}

/// Which way a weight is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As it is, `[outputs, channels, 3, 3]`.
    Forward,
    /// For [`Winograd::back`], as `[channels, outputs, 3, 3]` with the kernels turned round.
    Back,
}

impl<const IN: usize, const OUT: usize> Winograd<IN, OUT>
where
    Winograd<IN, OUT>: Transforms<IN, OUT>,
{
    /// The transformed weights, as one matrix for each point.
    pub(super) fn pack(&self, weight: &[f32], way: Way) -> PackedB {
        let ([.., channels], [.., outputs]) = (self.source, self.target);
        let write = |panel: &mut Blank<'_>, first: usize, columns: usize, width: usize| {
            dispatch(Kernels::<IN, OUT> { weight, way, channels, outputs, panel, first, columns, width });
        };
        // SAFETY: a row is a channel at a point, and each channel comes up with all points.
        unsafe { PackedB::pack(Self::POINTS * channels, outputs, write) }
    }
}

/// Transforms the kernels of a panel.
struct Kernels<'a, 'b, const IN: usize, const OUT: usize> {
    weight: &'a [f32],
    way: Way,
    channels: usize,
    outputs: usize,
    panel: &'a mut Blank<'b>,
    first: usize,
    columns: usize,
    width: usize,
}

impl<const IN: usize, const OUT: usize> WithSimd for Kernels<'_, '_, IN, OUT>
where
    Winograd<IN, OUT>: Transforms<IN, OUT>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for channel in 0..self.channels {
            for from in (0..self.columns).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(self.columns - from);
                let mut taps = [[0.0; 16]; 9];
                for lane in 0..lanes {
                    let output = self.first + from + lane;
                    let place = match self.way {
                        Way::Forward => output * self.channels + channel,
                        Way::Back => channel * self.outputs + output,
                    };
                    let kernel = &self.weight[place * 9..][..9];
                    for tap in 0..9 {
                        taps[tap][lane] = kernel[if self.way == Way::Forward { tap } else { 8 - tap }];
                    }
                }
                let mut half = [[simd.splat_f32s(0.0); IN]; 3];
                for row in 0..3 {
                    let mut kernel = [simd.splat_f32s(0.0); 3];
                    for col in 0..3 {
                        kernel[col] = load(simd, &taps[row * 3 + col][..lanes]);
                    }
                    half[row] = Winograd::<IN, OUT>::kernel_to_points(simd, kernel);
                }
                for col in 0..IN {
                    let values =
                        Winograd::<IN, OUT>::kernel_to_points(simd, [half[0][col], half[1][col], half[2][col]]);
                    for row in 0..IN {
                        let start = ((row * IN + col) * self.channels + channel) * self.width + from;
                        self.panel.part(start, lanes).store(simd, values[row]);
                    }
                }
            }
        }
    }
}

/// The points 0, 1, -1 and infinity.
impl Transforms<4, 2> for F2x2 {
    const WORTH: usize = 48;

    #[inline(always)]
    fn to_points<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 4] {
        [simd.sub_f32s(d[0], d[2]), simd.add_f32s(d[1], d[2]), simd.sub_f32s(d[2], d[1]), simd.sub_f32s(d[1], d[3])]
    }

    #[inline(always)]
    fn kernel_to_points<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; 4] {
        let half = simd.splat_f32s(0.5);
        let (even, odd) = (simd.mul_f32s(half, simd.add_f32s(g[0], g[2])), simd.mul_f32s(half, g[1]));
        [g[0], simd.add_f32s(even, odd), simd.sub_f32s(even, odd), g[2]]
    }

    #[inline(always)]
    fn from_points<S: Simd>(simd: S, m: [S::f32s; 4]) -> [S::f32s; 2] {
        [simd.add_f32s(m[0], simd.add_f32s(m[1], m[2])), simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3])]
    }
}

/// The points 0, 1, -1, 2, -2 and infinity.
impl Transforms<6, 4> for F4x4 {
    const WORTH: usize = 12;

    #[inline(always)]
    fn to_points<S: Simd>(simd: S, d: [S::f32s; 6]) -> [S::f32s; 6] {
        let (two, four, five) = (simd.splat_f32s(2.0), simd.splat_f32s(-4.0), simd.splat_f32s(-5.0));
        let (even, odd) = (simd.mul_add_e_f32s(four, d[2], d[4]), simd.mul_add_e_f32s(four, d[1], d[3]));
        let (even_two, odd_two) = (simd.sub_f32s(d[4], d[2]), simd.mul_f32s(two, simd.sub_f32s(d[3], d[1])));
        [
            simd.sub_f32s(simd.mul_add_e_f32s(five, d[2], d[4]), simd.mul_f32s(four, d[0])),
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(even_two, odd_two),
            simd.sub_f32s(even_two, odd_two),
            simd.sub_f32s(simd.mul_add_e_f32s(five, d[3], d[5]), simd.mul_f32s(four, d[1])),
        ]
    }

    #[inline(always)]
    fn kernel_to_points<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; 6] {
        let part = |n: f32| simd.splat_f32s(1.0 / n);
        let (even, odd) = (simd.mul_f32s(simd.add_f32s(g[0], g[2]), part(-6.0)), simd.mul_f32s(g[1], part(6.0)));
        let even_two = simd.mul_add_e_f32s(g[0], part(24.0), simd.mul_f32s(g[2], part(6.0)));
        let odd_two = simd.mul_f32s(g[1], part(12.0));
        [
            simd.mul_f32s(g[0], part(4.0)),
            simd.sub_f32s(even, odd),
            simd.add_f32s(even, odd),
            simd.add_f32s(even_two, odd_two),
            simd.sub_f32s(even_two, odd_two),
            g[2],
        ]
    }

    #[inline(always)]
    fn from_points<S: Simd>(simd: S, m: [S::f32s; 6]) -> [S::f32s; 4] {
        let (even, odd) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
        let (even_two, odd_two) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
        [
            simd.add_f32s(m[0], simd.add_f32s(even, even_two)),
            simd.mul_add_e_f32s(simd.splat_f32s(2.0), odd_two, odd),
            simd.mul_add_e_f32s(simd.splat_f32s(4.0), even_two, even),
            simd.add_f32s(m[5], simd.mul_add_e_f32s(simd.splat_f32s(8.0), odd_two, odd)),
        ]
    }
}
