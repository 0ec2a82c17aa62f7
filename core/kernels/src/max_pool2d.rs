//! Max pooling with overlapping windows and padding. candle's own has neither, and its gradient is too small by the
//! size of the window.

use super::blank::Blank;
use super::graph::record;
use super::simd::dispatch;
use super::trace::{Operation, traced};
use super::values::fill_as;
use super::windows::{Pool, Window, adaptive_windows};
use super::{fast, with_stored};
use candle_core::{Result, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Max pooling: the largest value of each window. As in PyTorch's `max_pool2d`, padding counts as minus infinity, the
/// first of equal values in row-major order gets the gradient, and NaN is larger than any number.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, H', W', C]` with `H' = (H + 2·padding - kernel) / stride + 1`.
///
/// # Errors
/// When a size is 0, the padding exceeds half a window, or the window is larger than the padded image.
pub fn max_pool2d(xs: &Tensor, pool: &Pool) -> Result<Tensor> {
    traced(|| Operation::MaxPool2d { xs: xs.clone(), pool: *pool }, || largest(xs, pool.windows("max_pool2d", xs)?))
}

/// Max pooling to a fixed size. PyTorch's `adaptive_max_pool2d`.
///
/// # Shapes
/// `xs` `[N, H, W, C]` → `[N, height, width, C]` with `size` = `[height, width]`
///
/// # Errors
/// When the image or the grid is empty.
pub fn adaptive_max_pool2d(xs: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    traced(
        || Operation::AdaptiveMaxPool2d { xs: xs.clone(), size },
        || largest(xs, adaptive_windows("adaptive_max_pool2d", xs, size)?),
    )
}

fn largest(xs: &Tensor, windows: [Vec<Window>; 2]) -> Result<Tensor> {
    if !fast(xs) {
        return portable(xs, &windows);
    }
    // The place in a window that won is kept for the way back, in as little memory as its size allows.
    let side = |axis: usize| windows[axis].iter().map(|window| window.inside.len()).max().unwrap_or(0);
    if side(0) * side(1) <= 256 { run::<u8>(xs, windows) } else { run::<u32>(xs, windows) }
}

/// A place in a window, row by row.
trait Place: Copy + Send + Sync + PartialEq + 'static {
    fn of(place: usize) -> Self;
    fn get(self) -> usize;
}

impl Place for u8 {
    fn of(place: usize) -> u8 {
        place as u8
    }

    fn get(self) -> usize {
        self.into()
    }
}

impl Place for u32 {
    fn of(place: usize) -> u32 {
        place as u32
    }

    fn get(self) -> usize {
        self as usize
    }
}

fn run<P: Place>(xs: &Tensor, windows: [Vec<Window>; 2]) -> Result<Tensor> {
    let (n, h, w, c) = xs.dims4()?;
    let (oh, ow) = (windows[0].len(), windows[1].len());
    let mut winners = vec![P::of(0); n * oh * ow * c];
    let out = with_stored(xs, |xs| {
        let lines = winners.par_chunks_exact_mut(ow * c).enumerate();
        Ok(fill_as(xs.dtype(), n * oh * ow * c, ow * c, lines, |(line, winners), out| {
            let row = &windows[0][line % oh];
            let rows = [row.inside.start, row.inside.end].map(|row| (line / oh * h + row) * w * c);
            let rows = &xs.part(rows[0]..rows[1]);
            dispatch(Line { rows, width: w, c, height: row.inside.len(), cols: &windows[1], out, winners })
        }))
    })?;
    record(&[xs], out, (n, oh, ow, c), move |_, grad, _| {
        let dx = with_stored(grad, |dy| {
            let size = oh * ow * c;
            let images = winners.par_chunks_exact(size).enumerate();
            Ok(fill_as(dy.dtype(), n * h * w * c, h * w * c, images, |(image, winners), dx| {
                let (dy, dx) = (dy.part(image * size..(image + 1) * size), dx.fill(0.0));
                dispatch(Back { dx, width: w, c, windows: &windows, dy: &dy, winners });
                dx
            }))
        })?;
        Ok(vec![Some(dx.tensor((n, h, w, c))?)])
    })
}

/// A row of the result.
struct Line<'a, 'o, P> {
    /// Those under its windows.
    rows: &'a [f32],
    height: usize,
    width: usize,
    c: usize,
    cols: &'a [Window],
    out: Blank<'o>,
    winners: &'a mut [P],
}

impl<'o, P: Place> WithSimd for Line<'_, 'o, P> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let c = self.c;
        self.out.chunks(c, self.cols.iter().zip(self.winners.chunks_exact_mut(c)), |(col, winners), out| {
            let values = |y: usize, x: usize| &self.rows[(y * self.width + x) * c..][..c];
            let out = out.copy(values(0, col.inside.start));
            let mut place = 0;
            for y in 0..self.height {
                for x in col.inside.clone() {
                    if place > 0 {
                        let (values, out, winners) = (values(y, x), &mut out[..c], &mut winners[..c]);
                        for i in 0..c {
                            let better = values[i] > out[i] || values[i].is_nan();
                            out[i] = if better { values[i] } else { out[i] };
                            winners[i] = if better { P::of(place) } else { winners[i] };
                        }
                    }
                    place += 1;
                }
            }
            out
        })
    }
}

/// The gradient of an image.
struct Back<'a, P> {
    dx: &'a mut [f32],
    width: usize,
    c: usize,
    windows: &'a [Vec<Window>; 2],
    dy: &'a [f32],
    winners: &'a [P],
}

impl<P: Place> WithSimd for Back<'_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let c = self.c;
        let mut pixels = self.dy.chunks_exact(c).zip(self.winners.chunks_exact(c));
        for row in &self.windows[0] {
            for col in &self.windows[1] {
                let Some((dy, winners)) = pixels.next() else { return };
                let across = col.inside.len();
                if row.inside.len() * across > 16 {
                    // Large windows: one value at a time to where it belongs.
                    for (i, (&dy, winner)) in dy.iter().zip(winners).enumerate() {
                        let (y, x) =
                            (row.inside.start + winner.get() / across, col.inside.start + winner.get() % across);
                        self.dx[(y * self.width + x) * c + i] += dy;
                    }
                    continue;
                }
                let mut place = 0;
                for y in row.inside.clone() {
                    for x in col.inside.clone() {
                        let dx = &mut self.dx[(y * self.width + x) * c..][..c];
                        let (dy, winners, here) = (&dy[..c], &winners[..c], P::of(place));
                        for i in 0..c {
                            dx[i] += if winners[i] == here { dy[i] } else { 0.0 };
                        }
                        place += 1;
                    }
                }
            }
        }
    }
}

/// The maximum over the places of a window, of images shifted by them. Not candle's `maximum`, which splits the
/// gradient between equal values. A window that is cut off looks at its first row or column again, which changes
/// nothing.
fn portable(xs: &Tensor, windows: &[Vec<Window>; 2]) -> Result<Tensor> {
    let side = |axis: usize| windows[axis].iter().map(|window| window.inside.len()).max().unwrap_or(0);
    let shifted = |xs: &Tensor, axis: usize, by: usize| {
        let place = |window: &Window| (window.inside.start + if by < window.inside.len() { by } else { 0 }) as u32;
        let index: Vec<u32> = windows[axis].iter().map(place).collect();
        xs.index_select(&Tensor::new(index, xs.device())?, axis + 1)
    };
    let xs = xs.contiguous()?;
    let mut best = shifted(&shifted(&xs, 0, 0)?, 1, 0)?;
    for (y, x) in (0..side(0)).flat_map(|y| (0..side(1)).map(move |x| (y, x))).skip(1) {
        let next = shifted(&shifted(&xs, 0, y)?, 1, x)?;
        let (larger, nan) = (next.gt(&best)?, next.ne(&next)?);
        best = (larger + nan)?.ne(0u8)?.where_cond(&next, &best)?;
    }
    Ok(best)
}
