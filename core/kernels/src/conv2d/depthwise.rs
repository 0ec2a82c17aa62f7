//! Convolution of each channel with a kernel of its own. Here nothing is multiplied with a matrix: neighbours in memory
//! are neighbouring channels, and vectors of them go through the kernel side by side.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // Registers of small tiles read best by index.

use super::geometry::Geometry;
use crate::blank::{Blank, fill};
use crate::simd::{dispatch, load, store};
use crate::tiles::Epilogue;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Registers of channels that go together where weights' gradients are summed.
const REGISTERS: usize = 4;

/// Pixels of a row that go together.
const TILE: usize = 8;

/// The result `[N, H', W', C]`, of a kernel in the order of [`by_tap`].
pub(super) fn forward(
    g: &Geometry,
    xs: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    epilogue: Option<&Epilogue<'_>>,
) -> Vec<f32> {
    Gather::forward(g).run(g, xs, weight, bias, epilogue)
}

/// A convolution, row by row.
pub(super) struct Rows<'a> {
    gather: Gather,
    kernel: &'a [f32],
    channels: usize,
    across: usize,
}

impl<'a> Rows<'a> {
    /// With a kernel in the order of [`by_tap`].
    pub(super) fn new(g: &Geometry, kernel: &'a [f32]) -> Rows<'a> {
        Rows { gather: Gather::forward(g), kernel, channels: g.channels(), across: g.kernel[1] }
    }

    /// A row of the result, from the input's rows from `first` on. It begins at `start` in what the epilogue adds.
    #[allow(clippy::too_many_arguments)] // where from, what with, where to
    pub(super) fn run(
        &self,
        row: usize,
        input: &[f32],
        first: usize,
        bias: Option<&[f32]>,
        epilogue: &Epilogue<'_>,
        start: usize,
        out: Blank<'_>,
    ) {
        let c = self.channels;
        let (wide, taps) = (self.gather.from.1 * c, self.across * c);
        let rows = self.gather.rows[row].iter();
        let rows = rows.map(|&(ky, y)| (&input[(y - first) * wide..][..wide], &self.kernel[ky * taps..][..taps]));
        let (rows, cols) = (rows.collect(), &self.gather.cols);
        dispatch(Line { c, rows, cols, bias, epilogue: Some(epilogue), start, out });
    }
}

/// `dx` `[N, H, W, C]`: the same with the two sides exchanged. Columns that leave different remainders see different
/// taps.
pub(super) fn gradient_by_input(g: &Geometry, dy: &[f32], weight: &[f32]) -> Vec<f32> {
    let step = g.stride[1];
    let columns = |first: usize| {
        let at = |k: usize| (first + g.padding[1][0]) as isize - (k * g.dilation[1]) as isize;
        let taps =
            (0..g.kernel[1]).filter(|&k| at(k) % step as isize == 0).map(|k| (k, at(k) / step as isize)).collect();
        Columns::new((g.ow, g.kernel[1]), (first, step, (g.w - first).div_ceil(step)), 1, taps)
    };
    let gather = Gather {
        from: (g.oh, g.ow),
        to: (g.h, g.w),
        rows: (0..g.h).map(|y| meetings(g.kernel[0], |k| g.output(0, y, k))).collect(),
        cols: (0..step.min(g.w)).map(columns).collect(),
    };
    gather.run(g, dy, &by_tap(weight, g.channels(), g.taps()), None, None)
}

/// `[C, taps]` to `[taps, C]`.
pub(super) fn by_tap(weight: &[f32], c: usize, taps: usize) -> Vec<f32> {
    let mut turned = vec![0.0; taps * c];
    for (channel, weight) in weight.chunks_exact(taps).enumerate() {
        for (tap, &weight) in weight.iter().enumerate() {
            turned[tap * c + channel] = weight;
        }
    }
    turned
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
    cols: Vec<Columns>,
}

/// Columns that all see the same taps, each some columns further than the one before.
struct Columns {
    /// The first column, how far it is to the next, and how many there are.
    first: usize,
    step: usize,
    count: usize,
    /// How far what they see moves from one to the next.
    pace: usize,
    /// Columns of the raster, and taps of a row of the kernel.
    width: usize,
    kernel: usize,
    taps: Vec<Tap>,
    /// Those that see nothing but columns of the raster.
    inside: (usize, usize),
}

/// A tap of a row of the kernel.
struct Tap {
    tap: usize,
    /// What column the first one sees through it: perhaps none of the raster.
    at: isize,
    /// Those that see one.
    from: usize,
    to: usize,
}

impl Tap {
    #[inline(always)]
    fn sees(&self, column: usize) -> bool {
        self.from <= column && column < self.to
    }
}

/// Registers of zeros: what lies outside of the raster.
static NOTHING: [f32; 32] = [0.0; 32];

impl Columns {
    fn new(
        (width, kernel): (usize, usize),
        (first, step, count): (usize, usize, usize),
        pace: usize,
        taps: Vec<(usize, isize)>,
    ) -> Columns {
        let tap = |(tap, at): (usize, isize)| {
            assert!(tap < kernel, "a tap that is not there");
            let from = at.min(0).unsigned_abs().div_ceil(pace);
            let to = usize::try_from(width as isize - at).map_or(0, |room| room.div_ceil(pace)).min(count);
            Tap { tap, at, from, to }
        };
        let taps: Vec<Tap> = taps.into_iter().map(tap).collect();
        let from = taps.iter().map(|tap| tap.from).max().unwrap_or(0);
        let to = taps.iter().map(|tap| tap.to).min().unwrap_or(count);
        Columns { first, step, count, pace, width, kernel, taps, inside: (from, to) }
    }
}

impl Gather {
    fn forward(g: &Geometry) -> Gather {
        let taps = (0..g.kernel[1]).map(|k| (k, (k * g.dilation[1]) as isize - g.padding[1][0] as isize)).collect();
        Gather {
            from: (g.h, g.w),
            to: (g.oh, g.ow),
            rows: (0..g.oh).map(|y| meetings(g.kernel[0], |k| g.input(0, y, k))).collect(),
            cols: vec![Columns::new((g.w, g.kernel[1]), (0, 1, g.ow), g.stride[1], taps)],
        }
    }

    fn run(
        &self,
        g: &Geometry,
        source: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        epilogue: Option<&Epilogue<'_>>,
    ) -> Vec<f32> {
        let (c, (h, w), (to_h, to_w)) = (g.channels(), self.from, self.to);
        let lines = g.n * to_h;
        fill(lines * to_w * c, to_w * c, (0..lines).into_par_iter(), |index, out| {
            let (image, rows) = (index / to_h, &self.rows[index % to_h]);
            let image = &source[image * h * w * c..][..h * w * c];
            let row = |&(ky, y): &(usize, usize)| {
                (&image[y * w * c..][..w * c], &weight[ky * g.kernel[1] * c..][..g.kernel[1] * c])
            };
            let rows = rows.iter().map(row).collect();
            dispatch(Line { c, rows, cols: &self.cols, bias, epilogue, start: index * to_w * c, out })
        })
    }
}

/// A row of the result.
struct Line<'a, 'o> {
    c: usize,
    /// The rows that it sees, each with its row of the kernel.
    rows: Vec<(&'a [f32], &'a [f32])>,
    cols: &'a [Columns],
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
        let count: usize = self.cols.iter().map(|cols| cols.count).sum();
        assert!(self.out.len() == count * self.c, "a row of another width");
        let mut first = 0;
        while first < self.c {
            first += match (self.c - first) / S::F32_LANES {
                0 => self.channels::<S, 1>(simd, first, self.c - first),
                1 => self.channels::<S, 1>(simd, first, S::F32_LANES),
                _ => self.channels::<S, 2>(simd, first, 2 * S::F32_LANES),
            };
        }
        // SAFETY: for each of the row's pixels all channels came up.
        unsafe { self.out.assume_filled() }
    }
}

impl Line<'_, '_> {
    /// Up to `V` registers of channels of the whole row.
    #[inline(always)]
    fn channels<S: Simd, const V: usize>(&mut self, simd: S, first: usize, lanes: usize) -> usize {
        let whole = lanes == V * S::F32_LANES;
        for cols in self.cols {
            for from in (0..cols.count).step_by(TILE) {
                let inside = cols.inside.0 <= from && from + TILE <= cols.inside.1;
                let tile = Tile { cols, from, count: TILE.min(cols.count - from), first, lanes };
                match (whole, inside) {
                    (true, true) => self.tile::<S, V, true, true>(simd, &tile),
                    (true, false) => self.tile::<S, V, true, false>(simd, &tile),
                    (false, _) => self.tile::<S, V, false, false>(simd, &tile),
                }
            }
        }
        lanes
    }

    /// `WHOLE`: all registers are. `INSIDE`: all pixels are there, and all that they see.
    #[inline(always)]
    fn tile<S: Simd, const V: usize, const WHOLE: bool, const INSIDE: bool>(&mut self, simd: S, tile: &Tile<'_>) {
        let &Tile { cols, from, count, first, lanes } = tile;
        let c = self.c;
        assert!(first + lanes <= c && (!WHOLE || lanes == V * S::F32_LANES), "channels that are not there");
        assert!(!INSIDE || (count == TILE && from >= cols.inside.0 && from + TILE <= cols.inside.1), "not inside");
        // The channels of a pixel.
        let read = |values: &[f32], pixel: usize, v: usize| {
            debug_assert!((pixel + 1) * c <= values.len());
            let at = pixel * c + first + v * S::F32_LANES;
            if WHOLE {
                // SAFETY: callers name pixels that the values have, and `first` and `V` registers more are at most `c`.
                unsafe { values.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
            } else {
                let lanes = lanes.saturating_sub(v * S::F32_LANES).min(S::F32_LANES);
                load(simd, &values[at..at + lanes])
            }
        };
        let mut sums = [[simd.splat_f32s(0.0); V]; TILE];
        if let Some(bias) = self.bias {
            assert!(bias.len() == c, "a bias of another length");
            for v in 0..V {
                let bias = read(bias, 0, v);
                for pixel in 0..TILE {
                    sums[pixel][v] = bias;
                }
            }
        }
        for (row, kernel) in &self.rows {
            assert!(row.len() == cols.width * c && kernel.len() == cols.kernel * c, "rows of other sizes");
            for tap in &cols.taps {
                let mut weights = [simd.splat_f32s(0.0); V];
                for v in 0..V {
                    weights[v] = read(kernel, tap.tap, v);
                }
                // Each pointer is made of the one before: the compiler would otherwise compute addresses in vectors,
                // and take them out again one by one.
                let mut at =
                    row.as_ptr().wrapping_offset(tap.at * c as isize).wrapping_add(from * cols.pace * c + first);
                for pixel in 0..TILE {
                    let sees = INSIDE || (pixel < count && tap.sees(from + pixel));
                    let seen = if sees { at } else { NOTHING.as_ptr() };
                    at = at.wrapping_add(cols.pace * c);
                    for v in 0..V {
                        let seen = seen.wrapping_add(v * S::F32_LANES);
                        let value = if WHOLE || !sees {
                            // SAFETY: `V` whole registers of channels of a pixel that the tap sees, or of nothing.
                            unsafe { seen.cast::<S::f32s>().read_unaligned() }
                        } else {
                            // SAFETY: as many channels as there are.
                            load(simd, unsafe { std::slice::from_raw_parts(seen, lanes) })
                        };
                        sums[pixel][v] = simd.mul_add_e_f32s(value, weights[v], sums[pixel][v]);
                    }
                }
            }
        }
        let activation = self.epilogue.filter(|end| end.in_registers() && end.residual.is_none());
        if let Some(end) = activation {
            sums = end.activation.of_registers(simd, sums);
        }
        let place = (cols.first + from * cols.step) * c + first;
        for pixel in 0..TILE {
            if INSIDE || pixel < count {
                let mut out = self.out.part(place + pixel * cols.step * c, lanes);
                for v in 0..V {
                    let at = v * S::F32_LANES;
                    if WHOLE {
                        // SAFETY: the part has `V` registers.
                        unsafe { out.as_mut_ptr().add(at).cast::<S::f32s>().write_unaligned(sums[pixel][v]) };
                    } else if at < lanes {
                        out.part(at, S::F32_LANES.min(lanes - at)).store(simd, sums[pixel][v]);
                    }
                }
            }
        }
        // A loop of its own: with it the one above would be too long to be unrolled, and the sums lie in memory.
        if let (Some(epilogue), None) = (self.epilogue, activation) {
            for pixel in 0..count {
                let place = place + pixel * cols.step * c;
                // SAFETY: written just now.
                epilogue.apply(self.start + place, unsafe { self.out.part(place, lanes).assume_filled() });
            }
        }
    }
}

/// Some pixels of a row's columns, from one on, and some of their channels.
struct Tile<'a> {
    cols: &'a Columns,
    from: usize,
    count: usize,
    first: usize,
    lanes: usize,
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
