//! Two-dimensional convolution: gather the patches, multiply matrices.
//!
//! Forward and both gradients are the same idea three times. Through the kernel a pixel sees a patch of an image; the
//! patches of many pixels, one to a row, make a matrix, and the rest is a product.
#![allow(unsafe_code)]

use super::gemm::{Place, View, gemm};
use super::shared::SharedMut;
use super::{channels_first, channels_last, fast, values, with_values};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// How a convolution's windows move: everything but the weights. Pairs are (vertical, horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Pixels from one window to the next.
    pub stride: [usize; 2],
    /// Zeros [above, below] and [to the left, to the right].
    pub padding: [[usize; 2]; 2],
    /// Pixels from one tap of the kernel to the next; 1 is an ordinary kernel.
    pub dilation: [usize; 2],
    /// Into how many groups the channels fall that do not see each other.
    pub groups: usize,
}

impl Conv {
    /// The usual convolution: one stride, one padding for all sides, no dilation, one group.
    pub fn new(stride: usize, padding: usize) -> Conv {
        Conv { stride: [stride; 2], padding: [[padding; 2]; 2], dilation: [1; 2], groups: 1 }
    }
}

/// Convolution (cross-correlation, as in PyTorch).
///
/// # Shapes
/// `xs` `[N, H, W, C]`, `weight` `[O, C / groups, kh, kw]`, `bias` `[O]`, result `[N, H', W', O]` with
/// `H' = (H + padding - dilation·(kh - 1) - 1) / stride + 1`.
///
/// # Errors
/// When channels and groups do not fit, a stride, a dilation or a size is 0, or the kernel is larger than the padded
/// image.
pub fn conv2d(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>, conv: &Conv) -> Result<Tensor> {
    let simple = *conv == Conv::new(conv.stride[0], conv.padding[0][0]);
    let ys = if simple && fast(xs) {
        let shape = Geometry::new(xs.dims4()?, weight.dims4()?, conv.stride[0], conv.padding[0][0])?;
        xs.contiguous()?.apply_op2(&weight.contiguous()?, Conv2d(shape))?
    } else {
        portable(xs, weight, conv)?
    };
    match bias {
        Some(bias) => ys.broadcast_add(bias),
        None => Ok(ys),
    }
}

/// candle's own convolution and its gradients are right, if slow, for one stride and no dilation, where the windows leave
/// no rows and columns over. The rest is brought to that form.
fn portable(xs: &Tensor, weight: &Tensor, conv: &Conv) -> Result<Tensor> {
    let weight = spread(&spread(weight, 2, conv.dilation[0])?, 3, conv.dilation[1])?;
    let (_, _, kh, kw) = weight.dims4()?;
    let stride = if conv.stride[0] == conv.stride[1] { conv.stride[0] } else { 1 };
    let [rows, cols] = conv.padding;
    let padded = xs.pad_with_zeros(1, rows[0], rows[1])?.pad_with_zeros(2, cols[0], cols[1])?;
    let used = |size: usize, kernel: usize| (size - kernel) / stride * stride + kernel;
    let padded = padded.narrow(1, 0, used(padded.dim(1)?, kh))?.narrow(2, 0, used(padded.dim(2)?, kw))?;
    let ys = channels_last(&channels_first(&padded)?.conv2d(&weight, 0, stride, 1, conv.groups)?)?;
    if conv.stride[0] == conv.stride[1] { Ok(ys) } else { every(&every(&ys, 1, conv.stride[0])?, 2, conv.stride[1]) }
}

/// Puts `dilation - 1` zeros between neighbours along an axis.
fn spread(weight: &Tensor, axis: usize, dilation: usize) -> Result<Tensor> {
    if dilation == 1 {
        return Ok(weight.clone());
    }
    let mut dims = weight.dims().to_vec();
    dims[axis] *= dilation;
    let apart = weight.unsqueeze(axis + 1)?.pad_with_zeros(axis + 1, 0, dilation - 1)?.reshape(dims)?;
    apart.narrow(axis, 0, dilation * (weight.dim(axis)? - 1) + 1)
}

/// Every `step`-th slice along an axis.
fn every(xs: &Tensor, axis: usize, step: usize) -> Result<Tensor> {
    let index: Vec<u32> = (0..xs.dim(axis)?).step_by(step).map(|i| i as u32).collect();
    xs.index_select(&Tensor::new(index, xs.device())?, axis)
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

    /// The kernel rows and columns that meet the image at all, as (first, count) each. Under a 1 x 1 image only the middle
    /// of a padded 3 x 3 kernel does.
    fn useful(&self) -> [(usize, usize); 2] {
        let useful = |side: usize, size: usize, out: usize| {
            let meets =
                |k: &usize| (0..out).any(|o| (self.padding..self.padding + size).contains(&(o * self.stride + k)));
            let first = (0..side).find(meets).unwrap_or(side);
            let last = (first..side).rfind(meets).map_or(first, |last| last + 1);
            (first, last - first)
        };
        [useful(self.kh, self.h, self.oh), useful(self.kw, self.w, self.ow)]
    }

    /// The patches of the input that the output pixels see through the useful part of the kernel.
    fn patches<'a>(&self, x: &'a [f32]) -> Patches<'a> {
        let [(first_row, rows), (first_col, cols)] = self.useful();
        let offset = |k: usize| k as isize - self.padding as isize;
        Patches {
            src: x,
            size: (self.h, self.w, self.ci),
            grid: (self.oh, self.ow),
            step: self.stride as isize,
            rows: (first_row..first_row + rows).map(offset).collect(),
            first_col: offset(first_col),
            cols,
        }
    }

    /// The taps that [`Geometry::patches`] lays side by side, in that order.
    fn useful_taps(&self) -> Vec<usize> {
        let [(first_row, rows), (first_col, cols)] = self.useful();
        let row = |ky: usize| (first_col..first_col + cols).map(move |kx| ky * self.kw + kx);
        (first_row..first_row + rows).flat_map(row).collect()
    }
}

/// Windows over images: which pixels a pixel of a grid sees. In channels-last memory the pixels of a window's row lie
/// side by side, so a patch is gathered with one copy per row.
struct Patches<'a> {
    src: &'a [f32],
    /// Height, width and channels of an image.
    size: (usize, usize, usize),
    /// Height and width of the grid.
    grid: (usize, usize),
    /// Pixels between the windows of neighbours on the grid.
    step: isize,
    /// Rows of a window, counted from its pixel's place.
    rows: Vec<isize>,
    /// First column of a window, likewise.
    first_col: isize,
    /// Columns of a window.
    cols: usize,
}

impl Patches<'_> {
    /// How many values a patch has.
    fn depth(&self) -> usize {
        self.rows.len() * self.cols * self.size.2
    }

    /// Writes the patch that grid pixel `pixel` sees; zeros stand outside the image.
    fn gather(&self, pixel: usize, patch: &mut [f32]) {
        let ((h, w, c), (grid_h, grid_w)) = (self.size, self.grid);
        let image = pixel / (grid_h * grid_w);
        let (gy, gx) = ((pixel / grid_w % grid_h) as isize, (pixel % grid_w) as isize);
        let left = gx * self.step + self.first_col;
        // The columns from..to of the window are inside the image.
        let from = left.min(0).unsigned_abs().min(self.cols);
        let to = (w as isize - left).clamp(from as isize, self.cols as isize) as usize;
        for (row, patch) in self.rows.iter().zip(patch.chunks_exact_mut(self.cols * c)) {
            let y = gy * self.step + row;
            if from == to || y < 0 || y >= h as isize {
                patch.fill(0.0);
                continue;
            }
            let start = ((image * h + y as usize) * w + (left + from as isize) as usize) * c;
            patch[..from * c].fill(0.0);
            patch[from * c..to * c].copy_from_slice(&self.src[start..start + (to - from) * c]);
            patch[to * c..].fill(0.0);
        }
    }

    /// The patches of grid pixels `first..first + count`, one after the other.
    fn gather_all(&self, first: usize, count: usize, patches: &mut Vec<f32>) {
        // Every value is written, so what an earlier block left behind does no harm.
        patches.resize(count * self.depth(), 0.0);
        patches.chunks_exact_mut(self.depth()).enumerate().for_each(|(i, patch)| self.gather(first + i, patch));
    }
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
    let (taps, patches) = (g.useful_taps(), g.patches(x));
    let mut out = vec![0.0; g.n * g.oh * g.ow * g.co];
    if taps.is_empty() {
        return out;
    }
    // [O, tap, C]: the order in which a patch has them.
    let mut packed = vec![0.0; g.co * patches.depth()];
    packed.par_chunks_exact_mut(patches.depth()).zip(w.par_chunks_exact(g.ci * g.taps())).for_each(|(packed, w)| {
        for (&tap, packed) in taps.iter().zip(packed.chunks_exact_mut(g.ci)) {
            packed.iter_mut().enumerate().for_each(|(c, value)| *value = w[c * g.taps() + tap]);
        }
    });
    let weight = View::rows(&packed, patches.depth()).t();
    product(g.n * g.oh * g.ow, &patches, weight, g.co, &|pixel| pixel, &mut out);
    out
}

/// The input pixels fall into `stride²` classes by their remainders; within a class all meet the same taps, and from one
/// pixel to the next the output pixels that they meet move by one.
fn gradient_by_input(g: &Geometry, dy: &[f32], w: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; g.n * g.h * g.w * g.ci];
    for (first_y, first_x) in (0..g.stride.min(g.h)).flat_map(|y| (0..g.stride.min(g.w)).map(move |x| (y, x))) {
        let grid = ((g.h - first_y).div_ceil(g.stride), (g.w - first_x).div_ceil(g.stride));
        // The output row that the first pixel of the class meets under tap row k (or column, likewise).
        let offset = |first: usize, k: usize| (first as isize + g.padding as isize - k as isize) / g.stride as isize;
        // Taps that the class meets, in falling order, so that the output pixels come in rising order.
        let meeting = |side: usize, first: usize, grid: usize, out: usize| -> Vec<usize> {
            let aligned = |k: &usize| (first + g.padding + g.stride * side - k).is_multiple_of(g.stride);
            let inside = |k: &usize| (0..grid as isize).any(|i| (0..out as isize).contains(&(i + offset(first, *k))));
            (0..side).rev().filter(aligned).filter(inside).collect()
        };
        let (rows, cols) = (meeting(g.kh, first_y, grid.0, g.oh), meeting(g.kw, first_x, grid.1, g.ow));
        let Some(&first_col) = cols.first() else { continue };
        if rows.is_empty() {
            continue;
        }
        let patches = Patches {
            src: dy,
            size: (g.oh, g.ow, g.co),
            grid,
            step: 1,
            rows: rows.iter().map(|&k| offset(first_y, k)).collect(),
            first_col: offset(first_x, first_col),
            cols: cols.len(),
        };
        let taps: Vec<usize> = rows.iter().flat_map(|ky| cols.iter().map(move |kx| ky * g.kw + kx)).collect();
        // [tap, O, C]
        let mut packed = vec![0.0; taps.len() * g.co * g.ci];
        packed.par_chunks_mut(g.ci).enumerate().for_each(|(row, packed)| {
            let (tap, o) = (taps[row / g.co], row % g.co);
            packed.iter_mut().enumerate().for_each(|(c, value)| *value = w[(o * g.ci + c) * g.taps() + tap]);
        });
        let destination = |pixel: usize| {
            let (image, y, x) = (pixel / (grid.0 * grid.1), pixel / grid.1 % grid.0, pixel % grid.1);
            (image * g.h + first_y + y * g.stride) * g.w + first_x + x * g.stride
        };
        product(g.n * grid.0 * grid.1, &patches, View::rows(&packed, g.ci), g.ci, &destination, &mut dx);
    }
    dx
}

/// `out[destination(pixel)] = patch(pixel) · weight`, for `pixels` pixels and `to` values each. No two pixels may have
/// the same destination.
fn product(
    pixels: usize,
    patches: &Patches<'_>,
    weight: View<'_>,
    to: usize,
    destination: &(impl Fn(usize) -> usize + Sync),
    out: &mut [f32],
) {
    // Blocks depend on the shapes alone. Few pixels (deep layers) are cut by columns too, so that all threads have work.
    let height = pixels.div_ceil(16).clamp(64, 512);
    let width = if pixels.div_ceil(height) < 8 { to.min(128) } else { to };
    let columns = to.div_ceil(width);
    let out = SharedMut::new(out);
    (0..pixels.div_ceil(height) * columns).into_par_iter().for_each_init(
        || (Vec::new(), Vec::new()),
        |(rows, block), task| {
            let (first, left) = (task / columns * height, task % columns * width);
            let (m, n) = (height.min(pixels - first), width.min(to - left));
            patches.gather_all(first, m, rows);
            block.resize(m * n, 0.0);
            let weight = View { data: &weight.data[left * weight.col..], ..weight };
            let place = Place { out: SharedMut::new(block), offset: 0, row: n, col: 1 };
            // SAFETY: the block belongs to this task.
            unsafe { gemm(m, n, patches.depth(), View::rows(rows, patches.depth()), weight, &place, false) };
            for (i, values) in block.chunks_exact(n).enumerate() {
                // SAFETY: pixels have different destinations, and tasks of the same pixels different columns.
                unsafe { out.part(destination(first + i) * to + left, n) }.copy_from_slice(values);
            }
        },
    );
}

fn gradient_by_weight(g: &Geometry, dy: &[f32], x: &[f32]) -> Vec<f32> {
    let (taps, patches) = (g.useful_taps(), g.patches(x));
    let mut dw = vec![0.0; g.co * g.ci * g.taps()];
    if taps.is_empty() {
        return dw;
    }
    // [O, tap, C], as the patches have it.
    let sums = if dw.len() <= 1 << 17 { by_chunks(g, dy, &patches) } else { by_taps(g, taps.len(), dy, &patches) };
    dw.par_chunks_exact_mut(g.ci * g.taps()).zip(sums.par_chunks_exact(patches.depth())).for_each(|(dw, sums)| {
        for (&tap, sums) in taps.iter().zip(sums.chunks_exact(g.ci)) {
            sums.iter().enumerate().for_each(|(c, &sum)| dw[c * g.taps() + tap] = sum);
        }
    });
    dw
}

/// Few weights: cut the pixels into a fixed number of chunks, and add up the chunks' gradients in order.
fn by_chunks(g: &Geometry, dy: &[f32], patches: &Patches<'_>) -> Vec<f32> {
    let (pixels, depth) = (g.n * g.oh * g.ow, patches.depth());
    let height = pixels.div_ceil(16).max(64);
    let partial: Vec<Vec<f32>> = (0..pixels.div_ceil(height))
        .into_par_iter()
        .map(|chunk| {
            let first = chunk * height;
            let m = height.min(pixels - first);
            let mut rows = Vec::new();
            patches.gather_all(first, m, &mut rows);
            let mut sum = vec![0.0; g.co * depth];
            let dy = View::rows(&dy[first * g.co..(first + m) * g.co], g.co);
            let place = Place { out: SharedMut::new(&mut sum), offset: 0, row: depth, col: 1 };
            // SAFETY: the sum belongs to this task.
            unsafe { gemm(g.co, depth, m, dy.t(), View::rows(&rows, depth), &place, false) };
            sum
        })
        .collect();
    let mut total = vec![0.0; g.co * depth];
    partial.iter().for_each(|sum| total.iter_mut().zip(sum).for_each(|(total, sum)| *total += sum));
    total
}

/// Many weights: each task owns one tap and a block of output channels, and goes over all pixels.
fn by_taps(g: &Geometry, taps: usize, dy: &[f32], patches: &Patches<'_>) -> Vec<f32> {
    let (pixels, depth, width) = (g.n * g.oh * g.ow, patches.depth(), g.co.min(128));
    let blocks = g.co.div_ceil(width);
    let mut sums = vec![0.0; g.co * depth];
    let out = SharedMut::new(&mut sums);
    (0..taps * blocks).into_par_iter().for_each(|task| {
        let (t, left) = (task / blocks, task % blocks * width);
        let n = width.min(g.co - left);
        let one_tap = Patches {
            rows: vec![patches.rows[t / patches.cols]],
            first_col: patches.first_col + (t % patches.cols) as isize,
            cols: 1,
            ..*patches
        };
        let mut rows = Vec::new();
        one_tap.gather_all(0, pixels, &mut rows);
        let dy = View { data: &dy[left..], row: g.co, col: 1 };
        let place = Place { out, offset: left * depth + t * g.ci, row: depth, col: 1 };
        // SAFETY: no other task has this tap and these output channels.
        unsafe { gemm(n, g.ci, pixels, dy.t(), View::rows(&rows, g.ci), &place, false) };
    });
    sums
}
