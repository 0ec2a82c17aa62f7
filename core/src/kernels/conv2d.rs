//! Two-dimensional convolution: gather the patches, multiply matrices.
//!
//! Forward, the gradient by the input and the gradient by the weights are the same idea three times: for each kernel tap
//! an output pixel meets one input pixel; gathering the rows of those pixels gives a matrix, and the rest is a product.
#![allow(unsafe_code)]

use super::gemm::{Place, View, gemm};
use super::shared::SharedMut;
use super::{channels_first, channels_last, fast, values, with_values};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Convolution (cross-correlation, as in PyTorch) without bias.
///
/// # Shapes
/// `xs` `[N, H, W, C]`, `weight` `[O, C, kh, kw]`, result `[N, H', W', O]` with `H' = (H + 2·padding - kh) / stride + 1`.
///
/// # Errors
/// When the channels differ, a stride is 0, a size is 0, or the kernel is larger than the padded image.
pub fn conv2d(xs: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    let shape = Geometry::new(xs.dims4()?, weight.dims4()?, stride, padding)?;
    if fast(xs) {
        return xs.contiguous()?.apply_op2(&weight.contiguous()?, Conv2d(shape));
    }
    // candle's own convolution and its gradients are right, if slow, where the windows leave no rows and columns over.
    let used = |out: usize, kernel: usize| (out - 1) * stride + kernel;
    let padded = xs.pad_with_zeros(1, padding, padding)?.pad_with_zeros(2, padding, padding)?;
    let padded = padded.narrow(1, 0, used(shape.oh, shape.kh))?.narrow(2, 0, used(shape.ow, shape.kw))?;
    channels_last(&channels_first(&padded)?.conv2d(weight, 0, stride, 1, 1)?)
}

#[derive(Debug, Clone, Copy)]
struct Geometry {
    n: usize,
    h: usize,
    w: usize,
    ci: usize,
    co: usize,
    kh: usize,
    kw: usize,
    stride: usize,
    padding: usize,
    oh: usize,
    ow: usize,
}

impl Geometry {
    fn new(xs: (usize, usize, usize, usize), weight: (usize, usize, usize, usize), s: usize, p: usize) -> Result<Self> {
        let ((n, h, w, ci), (co, channels, kh, kw)) = (xs, weight);
        if channels != ci {
            candle_core::bail!(
                "conv2d: weight {weight:?} wants {channels} channels, the input [N, H, W, C] {xs:?} has {ci}"
            );
        }
        if [n, h, w, ci, co, kh, kw, s].contains(&0) || h + 2 * p < kh || w + 2 * p < kw {
            candle_core::bail!("conv2d: input {xs:?}, weight {weight:?}, stride {s}, padding {p} give an empty result");
        }
        let (oh, ow) = ((h + 2 * p - kh) / s + 1, (w + 2 * p - kw) / s + 1);
        Ok(Geometry { n, h, w, ci, co, kh, kw, stride: s, padding: p, oh, ow })
    }

    fn taps(&self) -> usize {
        self.kh * self.kw
    }

    /// The input pixel that output pixel `row` meets under kernel tap `tap`, if it is inside the image.
    fn input_pixel(&self, row: usize, tap: usize) -> Option<usize> {
        let (image, y, x) = split(row, self.oh, self.ow);
        let iy = (y * self.stride + tap / self.kw).checked_sub(self.padding).filter(|&iy| iy < self.h)?;
        let ix = (x * self.stride + tap % self.kw).checked_sub(self.padding).filter(|&ix| ix < self.w)?;
        Some((image * self.h + iy) * self.w + ix)
    }

    /// The output pixel that meets input pixel (`image`, `iy`, `ix`) under `tap`, if there is one.
    fn output_pixel(&self, image: usize, iy: usize, ix: usize, tap: usize) -> Option<usize> {
        let y = (iy + self.padding).checked_sub(tap / self.kw).filter(|y| y % self.stride == 0)? / self.stride;
        let x = (ix + self.padding).checked_sub(tap % self.kw).filter(|x| x % self.stride == 0)? / self.stride;
        (y < self.oh && x < self.ow).then_some((image * self.oh + y) * self.ow + x)
    }

    /// The taps that meet the image at all. Under a 1 x 1 image only the middle of a padded 3 x 3 kernel does.
    fn useful_taps(&self) -> Vec<usize> {
        let pixels = self.oh * self.ow;
        (0..self.taps()).filter(|&tap| (0..pixels).any(|row| self.input_pixel(row, tap).is_some())).collect()
    }
}

fn split(row: usize, height: usize, width: usize) -> (usize, usize, usize) {
    (row / (height * width), row / width % height, row % width)
}

struct Conv2d(Geometry);

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let g = self.0;
        let out = forward(&g, values(x, xl)?, values(w, wl)?);
        Ok((CpuStorage::F32(out), (g.n, g.oh, g.ow, g.co).into()))
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let g = &self.0;
        with_values(grad, |dy| {
            let dx = if x.track_op() {
                let dx = with_values(w, |w| Ok(gradient_by_input(g, dy, w)))?;
                Some(Tensor::from_vec(dx, x.shape(), x.device())?)
            } else {
                None
            };
            let dw = if w.track_op() {
                let dw = with_values(x, |x| Ok(gradient_by_weight(g, dy, x)))?;
                Some(Tensor::from_vec(dw, w.shape(), w.device())?)
            } else {
                None
            };
            Ok((dx, dw))
        })
    }
}

fn forward(g: &Geometry, x: &[f32], w: &[f32]) -> Vec<f32> {
    let taps = g.useful_taps();
    let mut out = vec![0.0; g.n * g.oh * g.ow * g.co];
    if taps.is_empty() {
        return out;
    }
    // [tap, C, O], so that the gathered patch and the weight agree on their common axis.
    let mut packed = vec![0.0; taps.len() * g.ci * g.co];
    packed.par_chunks_mut(g.co).enumerate().for_each(|(row, packed)| {
        let (tap, c) = (taps[row / g.ci], row % g.ci);
        packed.iter_mut().enumerate().for_each(|(o, value)| *value = w[(o * g.ci + c) * g.taps() + tap]);
    });
    let pixels = g.n * g.oh * g.ow;
    let source = |row: usize, t: usize| g.input_pixel(row, taps[t]);
    gather_product(pixels, taps.len(), g.ci, x, &packed, g.co, &source, &|row| row, &mut out);
    out
}

/// The input pixels fall into `stride²` classes by their remainders; within a class all meet the same taps.
fn gradient_by_input(g: &Geometry, dy: &[f32], w: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; g.n * g.h * g.w * g.ci];
    for (first_y, first_x) in (0..g.stride).flat_map(|y| (0..g.stride).map(move |x| (y, x))) {
        let (height, width) =
            (g.h.saturating_sub(first_y).div_ceil(g.stride), g.w.saturating_sub(first_x).div_ceil(g.stride));
        let position = |row: usize| {
            let (image, y, x) = split(row, height, width);
            (image, first_y + y * g.stride, first_x + x * g.stride)
        };
        let meets = |row: usize, tap: usize| {
            let (image, y, x) = position(row);
            g.output_pixel(image, y, x, tap)
        };
        let taps: Vec<usize> =
            (0..g.taps()).filter(|&tap| (0..height * width).any(|row| meets(row, tap).is_some())).collect();
        if taps.is_empty() {
            continue;
        }
        // [tap, O, C]
        let mut packed = vec![0.0; taps.len() * g.co * g.ci];
        packed.par_chunks_mut(g.ci).enumerate().for_each(|(row, packed)| {
            let (tap, o) = (taps[row / g.co], row % g.co);
            packed.iter_mut().enumerate().for_each(|(c, value)| *value = w[(o * g.ci + c) * g.taps() + tap]);
        });
        let destination = |row: usize| {
            let (image, y, x) = position(row);
            (image * g.h + y) * g.w + x
        };
        let source = |row: usize, t: usize| meets(row, taps[t]);
        gather_product(g.n * height * width, taps.len(), g.co, dy, &packed, g.ci, &source, &destination, &mut dx);
    }
    dx
}

/// `out[destination(row)] = Σ_t src[source(row, t)] · weight[t]`, for rows of `from` values in `src` and `to` in `out`.
/// No two rows may have the same destination.
#[allow(clippy::too_many_arguments)]
fn gather_product(
    rows: usize,
    taps: usize,
    from: usize,
    src: &[f32],
    weight: &[f32],
    to: usize,
    source: &(impl Fn(usize, usize) -> Option<usize> + Sync),
    destination: &(impl Fn(usize) -> usize + Sync),
    out: &mut [f32],
) {
    // Blocks depend on the shapes alone. Few rows (deep layers) are cut by columns too, so that all threads have work.
    let height = rows.div_ceil(16).clamp(64, 512);
    let width = if rows.div_ceil(height) < 8 { to.min(128) } else { to };
    let columns = to.div_ceil(width);
    let depth = taps * from;
    let out = SharedMut::new(out);
    (0..rows.div_ceil(height) * columns).into_par_iter().for_each_init(
        || (Vec::new(), Vec::new()),
        |(patches, block), task| {
            let (first, left) = (task / columns * height, task % columns * width);
            let (m, n) = (height.min(rows - first), width.min(to - left));
            patches.clear();
            patches.resize(m * depth, 0.0);
            for (i, patch) in patches.chunks_exact_mut(depth).enumerate() {
                for (t, piece) in patch.chunks_exact_mut(from).enumerate() {
                    if let Some(pixel) = source(first + i, t) {
                        piece.copy_from_slice(&src[pixel * from..(pixel + 1) * from]);
                    }
                }
            }
            block.clear();
            block.resize(m * n, 0.0);
            let weight = View { data: &weight[left..], row: to, col: 1 };
            let place = Place { out: SharedMut::new(block), offset: 0, row: n, col: 1 };
            // SAFETY: the block belongs to this task.
            unsafe { gemm(m, n, depth, View::rows(patches, depth), weight, &place, false) };
            for (i, values) in block.chunks_exact(n).enumerate() {
                // SAFETY: rows have different destinations, and tasks of the same rows different columns.
                unsafe { out.part(destination(first + i) * to + left, n) }.copy_from_slice(values);
            }
        },
    );
}

fn gradient_by_weight(g: &Geometry, dy: &[f32], x: &[f32]) -> Vec<f32> {
    let mut dw = vec![0.0; g.co * g.ci * g.taps()];
    let taps = g.useful_taps();
    if dw.len() <= 1 << 17 {
        small_gradient_by_weight(g, &taps, dy, x, &mut dw)
    } else {
        large_gradient_by_weight(g, &taps, dy, x, &mut dw)
    }
    dw
}

/// Few weights: cut the pixels into a fixed number of chunks, and add up the chunks' gradients in order.
fn small_gradient_by_weight(g: &Geometry, taps: &[usize], dy: &[f32], x: &[f32], dw: &mut [f32]) {
    let (rows, depth) = (g.n * g.oh * g.ow, taps.len() * g.ci);
    if depth == 0 {
        return;
    }
    let height = rows.div_ceil(16).max(64);
    let partial: Vec<Vec<f32>> = (0..rows.div_ceil(height))
        .into_par_iter()
        .map(|chunk| {
            let first = chunk * height;
            let m = height.min(rows - first);
            let mut patches = vec![0.0; m * depth];
            for (i, patch) in patches.chunks_exact_mut(depth).enumerate() {
                for (&tap, piece) in taps.iter().zip(patch.chunks_exact_mut(g.ci)) {
                    if let Some(pixel) = g.input_pixel(first + i, tap) {
                        piece.copy_from_slice(&x[pixel * g.ci..(pixel + 1) * g.ci]);
                    }
                }
            }
            let mut sum = vec![0.0; g.co * depth];
            let dy = View::rows(&dy[first * g.co..(first + m) * g.co], g.co);
            let place = Place { out: SharedMut::new(&mut sum), offset: 0, row: depth, col: 1 };
            // SAFETY: the sum belongs to this task.
            unsafe { gemm(g.co, depth, m, dy.t(), View::rows(&patches, depth), &place, false) };
            sum
        })
        .collect();
    for (t, &tap) in taps.iter().enumerate() {
        for (o, c) in (0..g.co).flat_map(|o| (0..g.ci).map(move |c| (o, c))) {
            dw[(o * g.ci + c) * g.taps() + tap] = partial.iter().map(|sum| sum[o * depth + t * g.ci + c]).sum();
        }
    }
}

/// Many weights: each task owns one tap and a block of output channels, and goes over all pixels that the tap meets.
fn large_gradient_by_weight(g: &Geometry, taps: &[usize], dy: &[f32], x: &[f32], dw: &mut [f32]) {
    let width = g.co.min(128);
    let blocks = g.co.div_ceil(width);
    let out = SharedMut::new(dw);
    (0..taps.len() * blocks).into_par_iter().for_each(|task| {
        let (tap, left) = (taps[task / blocks], task % blocks * width);
        let n = width.min(g.co - left);
        let (mut inputs, mut grads) = (Vec::new(), Vec::new());
        for row in 0..g.n * g.oh * g.ow {
            if let Some(pixel) = g.input_pixel(row, tap) {
                inputs.extend_from_slice(&x[pixel * g.ci..(pixel + 1) * g.ci]);
                grads.extend_from_slice(&dy[row * g.co + left..row * g.co + left + n]);
            }
        }
        let pixels = inputs.len() / g.ci;
        let place = Place { out, offset: left * g.ci * g.taps() + tap, row: g.ci * g.taps(), col: g.taps() };
        // SAFETY: no other task has this tap and these output channels.
        unsafe { gemm(n, g.ci, pixels, View::rows(&grads, n).t(), View::rows(&inputs, g.ci), &place, false) };
    });
}
