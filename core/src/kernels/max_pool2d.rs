//! Max pooling with overlapping windows and padding. candle's own has neither, and its gradient is too small by the size
//! of the window.

use super::{fast, values, with_values};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use std::sync::OnceLock;

/// The largest value of each window of `kernel` = (height, width). Padding counts as minus infinity; of equal values the first in
/// row-major order gets the gradient; NaN wins, all as in PyTorch's `max_pool2d`.
///
/// # Shapes
/// `[N, H, W, C]` to `[N, H', W', C]` with `H' = (H + 2·padding - kernel.0) / stride + 1`.
///
/// # Errors
/// When the window or the stride is 0, the padding exceeds half a window, or the window is larger than the padded image.
pub fn max_pool2d(xs: &Tensor, kernel: (usize, usize), stride: usize, padding: usize) -> Result<Tensor> {
    let (n, h, w, c) = xs.dims4()?;
    let fits = |size: usize, side: usize| side > 0 && 2 * padding <= side && size + 2 * padding >= side;
    if stride == 0 || [n, h, w, c].contains(&0) || !fits(h, kernel.0) || !fits(w, kernel.1) {
        candle_core::bail!(
            "max_pool2d: window {kernel:?}, stride {stride}, padding {padding} do not fit input [N, H, W, C] {:?}",
            xs.dims()
        );
    }
    let window = Window { kernel, stride, padding, h, w, c };
    if fast(xs) {
        return xs.contiguous()?.apply_op1(MaxPool2d { window, winners: OnceLock::new() });
    }
    window.portable(xs)
}

#[derive(Debug, Clone, Copy)]
struct Window {
    kernel: (usize, usize),
    stride: usize,
    padding: usize,
    h: usize,
    w: usize,
    c: usize,
}

impl Window {
    /// Height and width of the result.
    fn out(&self) -> (usize, usize) {
        let out = |size: usize, side: usize| (size + 2 * self.padding - side) / self.stride + 1;
        (out(self.h, self.kernel.0), out(self.w, self.kernel.1))
    }

    fn taps(&self) -> usize {
        self.kernel.0 * self.kernel.1
    }

    /// The input row and column under `tap` of the window at output (`oy`, `ox`), if inside the image.
    fn input(&self, oy: usize, ox: usize, tap: usize) -> Option<(usize, usize)> {
        let iy = self.position(oy, tap / self.kernel.1, self.h)?;
        let ix = self.position(ox, tap % self.kernel.1, self.w)?;
        Some((iy, ix))
    }

    /// Where tap `k` of output position `o` falls along an axis of `size`.
    fn position(&self, o: usize, k: usize, size: usize) -> Option<usize> {
        (o * self.stride + k).checked_sub(self.padding).filter(|&i| i < size)
    }

    /// The maximum over the taps of shifted copies of the padded image. Not candle's `maximum`, which splits the gradient
    /// between equal values.
    fn portable(&self, xs: &Tensor) -> Result<Tensor> {
        let mut best: Option<Tensor> = None;
        let low = Tensor::new(f32::NEG_INFINITY, xs.device())?.to_dtype(xs.dtype())?;
        let pad = |xs: &Tensor, dim: usize| -> Result<Tensor> {
            let mut dims = xs.dims().to_vec();
            dims[dim] = self.padding;
            let border = low.broadcast_as(dims)?;
            if self.padding == 0 { Ok(xs.clone()) } else { Tensor::cat(&[&border, xs, &border], dim) }
        };
        let padded = pad(&pad(xs, 1)?, 2)?.contiguous()?;
        let slice = |xs: &Tensor, dim: usize, first: usize, count: usize| {
            let index: Vec<u32> = (0..count).map(|i| (first + i * self.stride) as u32).collect();
            xs.index_select(&Tensor::new(index, xs.device())?, dim)
        };
        let (oh, ow) = self.out();
        for tap in 0..self.taps() {
            let shifted = slice(&slice(&padded, 1, tap / self.kernel.1, oh)?, 2, tap % self.kernel.1, ow)?;
            best = Some(match best {
                Some(best) => {
                    let (larger, nan) = (shifted.gt(&best)?, shifted.ne(&shifted)?);
                    (larger + nan)?.where_cond(&shifted, &best)?
                }
                None => shifted,
            });
        }
        best.ok_or_else(|| candle_core::Error::Msg("max_pool2d: an empty window".into()))
    }
}

struct MaxPool2d {
    window: Window,
    /// For each output value the tap of its window that won, row-major.
    winners: OnceLock<Vec<u32>>,
}

impl CustomOp1 for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Window { h, w, c, .. } = self.window;
        let (n, (oh, ow)) = (layout.dims()[0], self.window.out());
        let x = values(x, layout)?;
        let mut out = vec![f32::NEG_INFINITY; n * oh * ow * c];
        let mut winners = vec![0u32; out.len()];
        out.par_chunks_mut(ow * c).zip(winners.par_chunks_mut(ow * c)).enumerate().for_each(
            |(line, (out, winners))| {
                let (image, oy) = (line / oh, line % oh);
                for (ox, (out, winners)) in out.chunks_exact_mut(c).zip(winners.chunks_exact_mut(c)).enumerate() {
                    let mut first = true;
                    for tap in 0..self.window.taps() {
                        let Some((iy, ix)) = self.window.input(oy, ox, tap) else { continue };
                        let values = &x[((image * h + iy) * w + ix) * c..][..c];
                        for ((best, winner), &value) in out.iter_mut().zip(winners.iter_mut()).zip(values) {
                            if first || value > *best || value.is_nan() {
                                (*best, *winner) = (value, tap as u32);
                            }
                        }
                        first = false;
                    }
                }
            },
        );
        // A second forward through the same operation cannot happen: each call of `max_pool2d` makes a new one.
        let _ = self.winners.set(winners);
        Ok((CpuStorage::F32(out), (n, oh, ow, c).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let Window { h, w, c, .. } = self.window;
        let (oh, ow) = self.window.out();
        let Some(winners) = self.winners.get() else { candle_core::bail!("max_pool2d: backward before forward") };
        let mut dx = vec![0.0; x.elem_count()];
        with_values(grad, |dy| {
            dx.par_chunks_mut(h * w * c).enumerate().for_each(|(image, dx)| {
                for (oy, ox) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                    let start = ((image * oh + oy) * ow + ox) * c;
                    for (channel, (&winner, dy)) in winners[start..start + c].iter().zip(&dy[start..]).enumerate() {
                        // The winner is inside the image, since forward looked at no other tap.
                        if let Some((iy, ix)) = self.window.input(oy, ox, winner as usize) {
                            dx[(iy * w + ix) * c + channel] += dy;
                        }
                    }
                }
            });
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
